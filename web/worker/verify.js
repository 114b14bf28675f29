// Keeps the page that verifies certificates for when there is no network: the page in each
// language, its styles and scripts, and the trust bundle, which is fetched anew wherever it can be.
// The server writes what to keep, and a version of it, before this text: kept.
"use strict";

const name = "verify-" + kept.version;
const patience = 4000; // ms: after that what is kept is shown

const whole = (url) => url.pathname + url.search;

self.addEventListener("install", (event) => {
  const all = [...kept.pages, ...kept.files, kept.trust].map((url) => new Request(url, { cache: "reload" }));
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(all)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const others = async () => {
    for (const other of await caches.keys()) {
      if (other.startsWith("verify-") && other !== name) await caches.delete(other);
    }
    await self.clients.claim();
  };
  event.waitUntil(others());
});

const stored = async (url) => (await caches.open(name)).match(url, { ignoreVary: true });

// anew is what the network gives. A trust bundle is kept, where it comes whole; that there is no
// room to keep it takes nothing from whoever asks now.
async function anew(request, url) {
  const response = await fetch(request);
  if (response.ok && url === kept.trust) {
    await response.clone().arrayBuffer(); // throws where the network ends in the middle
    await caches.open(name).then((cache) => cache.put(url, response.clone())).catch(() => {});
  }
  return response;
}

// freshest is what was asked of the network, or where that gives nothing in time what is kept.
async function freshest(asked, url) {
  const late = new Promise((_, reject) => setTimeout(reject, patience, new Error("late")));
  try {
    const response = await Promise.race([asked, late]);
    if (response.ok) return response;
    return (await stored(url)) || response;
  } catch {
    return (await stored(url)) || asked;
  }
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (kept.files.includes(whole(url))) {
    event.respondWith(stored(whole(url)).then((file) => file || fetch(event.request)));
  } else if (kept.pages.includes(whole(url)) || whole(url) === kept.trust) {
    const asked = anew(event.request, whole(url));
    event.waitUntil(asked.catch(() => {})); // what comes late is kept for the next time
    event.respondWith(freshest(asked, whole(url)));
  }
});

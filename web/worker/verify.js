// Keeps the page that verifies certificates for when there is no network: the page in each
// language, its styles and scripts, and the trust bundle, which is fetched anew wherever it can be.
// The server writes before this text what to keep, and a version of it: kept; and the page's record.js,
// by which a bundle is read: certificate.

const name = "verify-" + kept.version;
const bundles = "verify-trust"; // outlives the versions
const patience = 4000; // ms: after that what is kept is shown

const whole = (url) => url.pathname + url.search;
const cacheOf = (url) => caches.open(url === kept.trust ? bundles : name);
const stored = async (url) => (await cacheOf(url)).match(url, { ignoreVary: true });

async function install() {
  const cache = await caches.open(name);
  await cache.addAll([...kept.pages, ...kept.files].map((url) => new Request(url, { cache: "reload" })));
  await anew(new Request(kept.trust, { cache: "reload" }), kept.trust);
  if (!(await stored(kept.trust))) throw new Error("no trust bundle"); // the next visit tries again
  await self.skipWaiting();
}

async function activate() {
  for (const other of await caches.keys()) {
    if (other.startsWith("verify-") && other !== name && other !== bundles) await caches.delete(other);
  }
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

// asOf is when a bundle was signed, in seconds since 1970. What is none, as the page on which a
// network asks for a fee, or was not given whole, was never.
const asOf = (response) => response.clone().text().then(certificate.trust).then((bundle) => bundle.asOf).catch(() => -Infinity);

// ahead says that a bundle was signed in a time to come, by a server whose clock was wrong: kept as the
// newest it would hold until then. A week is what a phone's own clock may be late: there the newest is
// kept all the same, as it may have a revocation that an older one has not.
const ahead = (signed) => signed > Date.now() / 1000 + 7 * 86400;

// anew is what the network gives. A trust bundle is kept where it is one, and no older than the one
// that is kept: caches on the way may give what was before a revocation. That there is no room to
// keep it takes nothing from whoever asks now.
async function anew(request, url) {
  const response = await fetch(request);
  if (url !== kept.trust || !response.ok) return response;
  const [signed, before] = [await asOf(response), await stored(url)];
  const former = before ? await asOf(before) : -Infinity;
  if (before && (signed === -Infinity || (signed < former && (!ahead(former) || ahead(signed))))) return before;
  if (signed > -Infinity && (!before || !ahead(signed) || ahead(former))) {
    await (await cacheOf(url)).put(url, response.clone()).catch(() => {});
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

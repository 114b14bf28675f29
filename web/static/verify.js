// Checks certificates on the device that shows the page: from the address that a code led to, by
// the camera, from a picture or the document, or from a pasted code. Nothing of a certificate is
// sent anywhere, unless somebody asks the server by the form.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const known = JSON.parse($("known").textContent);
  const device = $("device");
  const frame = 1000; // points on the longer side of what the camera is read by
  const large = 1600; // of a picture
  let video = null; // the stream of the camera
  let opening = false; // whether the camera was asked for, and has not answered
  let last = ""; // the code that is shown
  let attempts = 0;

  // --- the address ---

  // unchecked leaves a code to the form, which asks the server.
  function unchecked(code) {
    $("qr").value = code;
    $("unable").hidden = false;
    $("unable").focus();
  }

  const able = window.crypto?.subtle && window.DecompressionStream && window.BigInt;

  // inAddress tells that the address holds a code, or what was meant as one: anything but a place
  // of the page.
  const inAddress = () => location.hash && !document.getElementById(location.hash.slice(1));

  // opened takes the code out of the address: it is kept in no history and not sent on with it.
  function opened() {
    const code = location.href;
    history.replaceState(null, "", location.pathname + location.search);
    if (able) {
      check(code);
      return;
    }
    begin();
    unchecked(code);
  }
  // Another address of the same page is about another paper, also where it says none.
  window.addEventListener("hashchange", () => {
    if (inAddress()) opened();
    else if (!location.hash) begin();
  });
  if (!able) {
    if (inAddress()) opened();
    return; // the forms do without
  }

  // --- what to check by ---

  // trusted fetches the bundle; with no network the worker gives the one that it keeps.
  async function trusted() {
    const response = await fetch(device.dataset.trust, { cache: "no-cache" });
    if (!response.ok) throw new Error("no trust bundle");
    const by = await certificate.trust(await response.text());
    $("asof").textContent = device.dataset.asof.replace("{moment}", words.moment(by.asOf));
    return by;
  }

  // --- the answer ---

  function problem(text) {
    $("device-problem").textContent = text || "";
    $("device-problem").classList.add("bad");
    $("device-problem").hidden = !text;
    if (text) $("device-problem").focus();
  }

  // begin takes down what was said of another paper. What it gives tells whether nothing was begun
  // since: an answer that comes later than that is of a paper that nobody asks about any more.
  function begin() {
    const mine = ++attempts;
    problem("");
    $("unable").hidden = true;
    $("found").hidden = true;
    document.querySelector(".server")?.remove();
    document.title = document.querySelector("h1").textContent + " | Eshik";
    last = "";
    return () => mine === attempts;
  }

  function element(name, text, attributes) {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    return made;
  }

  function signed(record, language) {
    const said = words.of(record, language, known);
    const list = document.createElement("dl");
    for (const [label, value] of said.lines) {
      if (label) list.append(element("dt", label));
      list.append(element("dd", value));
    }
    const block = element("div", "", { class: "signed", lang: language });
    block.append(element("h3", said.title), list);
    return block;
  }

  function show(outcome, record, by) {
    const said = known.outcomes[outcome];
    const good = outcome === "genuine";
    const verdict = (good ? "✓ " : "✗ ") + said.said.replace("{moment}", words.moment(by.asOf));
    $("outcome").textContent = verdict;
    $("outcome").classList.toggle("bad", !good);
    $("advice").textContent = said.advice;
    $("signed").replaceChildren(...(record ? ["ky", "ru"].map((language) => signed(record, language)) : []));
    $("covered").hidden = !record || good; // the advice says it then
    $("found").dataset.outcome = outcome;
    $("found").hidden = false;
    document.title = verdict + " | Eshik";
    $("outcome").focus();
    $("found").scrollIntoView();
  }

  async function check(code, current = begin()) {
    const by = await trusted().catch(() => null);
    if (!current()) return;
    if (!by) {
      $("qr").value = code; // the form asks the server, when there is one
      problem(device.dataset.notrust);
      return;
    }
    try {
      const { outcome, record } = await certificate.check(by, code, Date.now() / 1000, known.kinds);
      if (!current()) return;
      show(outcome, record, by);
      last = code;
    } catch {
      if (current()) unchecked(code);
    }
  }

  // --- a picture, the document ---

  let reader = null;

  // jsQR is fetched where the browser has no reader of its own, once.
  function readByScript(data, hard) {
    reader ??= new Promise((resolve, reject) => {
      const tag = element("script", "", { src: device.dataset.reader });
      tag.onload = resolve;
      tag.onerror = () => reject(new Error("no reader"));
      document.head.append(tag);
    });
    return reader.then(() => scan.read(data.data, data.width, data.height, hard));
  }

  // drawn is what is seen, on no more than so many points.
  function drawn(source, width, height, most) {
    const scale = Math.min(1, most / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(source, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  async function detected(source) {
    try {
      const formats = await BarcodeDetector.getSupportedFormats();
      if (!formats.includes("qr_code")) return "";
      const found = await new BarcodeDetector({ formats: ["qr_code"] }).detect(source);
      return found[0]?.rawValue || "";
    } catch {
      return ""; // most browsers have none
    }
  }

  async function readPicture(file) {
    const picture = await createImageBitmap(file);
    const own = await detected(picture);
    if (own) return own;
    for (const most of [large, 2 * large, frame]) {
      const code = await readByScript(drawn(picture, picture.width, picture.height, most), most !== 2 * large);
      if (code) return code;
    }
    return "";
  }

  // codeOfDocument reads the code that a document of ours says once more for programs. Two that
  // differ are none.
  function codeOfDocument(bytes) {
    const text = new TextDecoder("latin1").decode(bytes);
    const said = new Set([...text.matchAll(/\/Keywords \(([0-9A-Za-z $%*+\-./:#_~[\]]+)\)/g)].map((m) => m[1]));
    return said.size === 1 ? [...said][0] : "";
  }

  async function readFile(file) {
    const current = begin();
    try {
      const head = new TextDecoder("latin1").decode(await file.slice(0, 5).arrayBuffer());
      const code = head === "%PDF-" ? codeOfDocument(await file.arrayBuffer()) : await readPicture(file);
      if (!current()) return;
      if (code) return check(code, current);
    } catch {
      // no picture that this browser reads
    }
    if (current()) problem(device.dataset.nocode);
  }

  $("file").addEventListener("change", () => {
    if ($("file").files[0]) readFile($("file").files[0]);
    $("file").value = ""; // the same may be chosen again
  });
  window.addEventListener("dragover", (event) => event.preventDefault());
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) readFile(event.dataTransfer.files[0]);
  });

  // --- the camera ---

  function closeCamera() {
    video?.getTracks().forEach((track) => track.stop());
    video = null;
    $("view").hidden = $("stop").hidden = true;
    $("camera").hidden = false;
  }

  async function watch(stream) {
    const view = $("view");
    while (video === stream) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (video !== stream || view.readyState < 2) continue;
      const code = (await detected(view)) || (await readByScript(drawn(view, view.videoWidth, view.videoHeight, frame), false));
      if (code && video === stream) {
        closeCamera();
        check(code);
      }
    }
  }

  $("camera").addEventListener("click", async () => {
    if (opening || video) return; // a second stream nothing would stop
    opening = true;
    const current = begin();
    let stream = null;
    try {
      const wanted = { facingMode: "environment", width: { ideal: 1920 }, height: { ideal: 1080 } };
      stream = video = await navigator.mediaDevices.getUserMedia({ video: wanted }).finally(() => { opening = false; });
      $("view").srcObject = stream;
      $("view").hidden = $("stop").hidden = false;
      $("camera").hidden = true;
      await $("view").play();
      $("stop").focus();
      await watch(stream);
    } catch {
      if (video !== stream) return; // stopped meanwhile
      closeCamera();
      if (current()) problem(device.dataset.nocamera);
    }
  });
  $("stop").addEventListener("click", () => {
    closeCamera();
    $("camera").focus();
  });
  window.addEventListener("pagehide", closeCamera);

  // --- a pasted code, and the server ---

  $("qr").form.addEventListener("submit", (event) => {
    if (!$("qr").value.trim()) return;
    event.preventDefault();
    check($("qr").value);
  });
  // The server tells what this device cannot: of a large family the list, of doubt the answer.
  $("ask").addEventListener("click", () => {
    $("qr").value = last;
    $("qr").form.submit();
  });

  // --- another language ---

  const kept = "eshik.verify";
  document.querySelector(".languages").addEventListener("click", (event) => {
    if (last && event.target.closest("a")) sessionStorage.setItem(kept, last);
  });
  function restore() {
    const code = sessionStorage.getItem(kept);
    sessionStorage.removeItem(kept);
    if (code) check(code);
    return code;
  }

  device.hidden = false;
  $("camera").hidden = !navigator.mediaDevices?.getUserMedia;
  navigator.serviceWorker?.register(device.dataset.worker, { scope: "/verify" }).catch(() => {}); // then with network only
  if (inAddress()) opened();
  else if (!restore()) trusted().catch(() => {}); // so that whoever opens the page has today's
})();

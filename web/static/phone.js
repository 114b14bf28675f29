// The phone in the page. It presses keys at the sandbox's gateway, texts the
// service and pays by code; every sentence it says comes from the server.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const said = JSON.parse($("said").textContent);
  const phone = document.querySelector(".phone");
  const smsNumber = phone.dataset.smsNumber;
  let session = ""; // the open USSD session
  let busy = false;
  let line = 0; // grows with every change of the number: late answers are for another
  let last = null; // the answer on the screen
  let seen = new Set(); // ids of the messages already shown
  let shownFor = ""; // the number the thread was drawn for
  let unread = 0;

  async function ask(method, path, body) {
    const init = { method, headers: {} };
    if (body) {
      init.headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let resp;
    try {
      resp = await fetch(path, init);
    } catch {
      throw new Error("network");
    }
    const answer = await resp.json().catch(() => ({}));
    if (!resp.ok) throw new Error(answer.code || "app_answer");
    return answer;
  }

  const sentence = (code) => said["error_" + code] || said.error_network;

  function notice(id, text, bad) {
    const p = $(id);
    p.textContent = text || "";
    p.hidden = !text;
    p.classList.toggle("bad", Boolean(bad));
  }

  // --- USSD ---

  function hangUp() {
    session = "";
    $("cancel").disabled = true;
    setEntry("dial", $("entry").dataset.code);
  }

  function setEntry(mode, value) {
    $("entry-label").textContent = $("entry-label").dataset[mode];
    $("send").textContent = $("send").dataset[mode];
    $("entry").value = value;
  }

  function clearScreen() {
    last = null;
    $("screen").textContent = $("screen").dataset.first;
    $("meter").value = 0;
    $("count").textContent = "0 / " + $("meter").max;
    $("encoding").textContent = "";
    $("count").parentElement.classList.remove("over");
    notice("note", "");
  }

  function showScreen(answer) {
    last = answer;
    const count = answer.encoding === "UCS-2" ? answer.units : answer.septets;
    const over = count > answer.limit;
    $("screen").textContent = answer.text;
    $("meter").max = answer.limit;
    $("meter").value = count;
    $("count").textContent = count + " / " + answer.limit;
    $("encoding").textContent = answer.encoding;
    $("count").parentElement.classList.toggle("over", over);
    const notes = [];
    if (over) notes.push(said.too_long);
    if (answer.deliveries > 1) notes.push(said.redelivered);
    if (answer.end) notes.push(said.ended);
    notice("note", notes.join(" "), over);
  }

  function rest() {
    busy = false;
    $("send").disabled = false;
    document.querySelector(".screen").classList.remove("busy");
  }

  // go shows the answer and makes ready for the next keys.
  function go(answer) {
    showScreen(answer);
    if (answer.end) {
      hangUp();
      return;
    }
    session = answer.session;
    $("cancel").disabled = false;
    setEntry("answer", "");
  }

  function drop(ending) {
    if (ending) ask("POST", "/sandbox/ussd", { session: ending, cancel: true }).catch(() => {});
  }

  async function press(keys) {
    if (busy) return;
    busy = true;
    const mine = line;
    $("send").disabled = true;
    document.querySelector(".screen").classList.add("busy");
    notice("note", session ? said.waiting : said.calling);
    try {
      const answer = await ask("POST", "/sandbox/ussd", keys);
      if (mine !== line) {
        drop(answer.end ? "" : answer.session);
        return;
      }
      go(answer);
    } catch (err) {
      if (mine !== line) return;
      notice("note", sentence(err.message), true);
      if (err.message !== "bad_request") hangUp();
    }
    rest();
    $("entry").focus();
    poll();
  }

  function knobs() {
    const out = { delay_ms: Number($("delay").value) };
    for (const [id, name] of [["drop-answer", "drop_answer"], ["drop-session", "drop_session"]]) {
      if ($(id).checked) out[name] = true;
      $(id).checked = false; // a knob is for the next turn only
    }
    return out;
  }

  $("keys").addEventListener("submit", (e) => {
    e.preventDefault();
    const value = $("entry").value;
    press(session
      ? { session, input: value, ...knobs() }
      : { phone: $("number").value, dial: value.trim(), ...knobs() });
  });
  document.querySelector(".keypad").addEventListener("click", (e) => {
    if (e.target.tagName === "BUTTON") $("entry").value += e.target.textContent;
  });
  $("erase").addEventListener("click", () => {
    $("entry").value = [...$("entry").value].slice(0, -1).join("");
  });
  $("cancel").addEventListener("click", () => {
    const ending = session;
    hangUp();
    notice("note", said.ended);
    drop(ending);
  });

  // --- SMS ---

  function bubble(message) {
    const li = document.createElement("li");
    li.className = message.sent ? "sent" : "";
    const text = document.createElement("p");
    text.className = "said";
    text.textContent = message.text;
    const meta = document.createElement("p");
    meta.className = "meta";
    const at = new Date(message.at).toTimeString().slice(0, 5);
    meta.textContent = [at, $("thread").dataset.parts + ": " + message.parts, message.encoding].join(" · ");
    li.append(text, meta);
    return li;
  }

  function drawThread(messages) {
    const thread = $("thread");
    const fresh = messages.filter((m) => !seen.has(m.id)).reverse();
    if (shownFor !== $("number").value) {
      thread.replaceChildren();
      shownFor = $("number").value;
    }
    if (messages.length === 0) {
      const empty = document.createElement("li");
      empty.className = "empty";
      empty.textContent = said.sms_empty;
      thread.replaceChildren(empty);
      return [];
    }
    thread.querySelector(".empty")?.remove();
    for (const m of fresh) {
      seen.add(m.id);
      thread.append(bubble(m));
    }
    if (fresh.length > 0) thread.scrollTop = thread.scrollHeight;
    return fresh;
  }

  function announce(fresh) {
    const reached = fresh.filter((m) => !m.sent);
    if (reached.length === 0 || !$("panel-sms").hidden) return;
    unread += reached.length;
    $("unread").textContent = unread;
    $("unread").hidden = false;
    notice("arrived", said.sms_new + ": " + reached[reached.length - 1].text);
  }

  // poll reads the thread; the first reading of a number announces nothing.
  async function poll() {
    const number = $("number").value;
    try {
      const messages = await ask("GET", "/sandbox/sms?thread=1&phone=" + encodeURIComponent(number));
      if (number !== $("number").value) return;
      const first = shownFor !== number;
      const fresh = drawThread(messages);
      if (!first) announce(fresh);
    } catch {
      // The next poll says more; what the citizen did themselves is told where they did it.
    }
  }

  function countBody() {
    const c = gsm.parts($("body").value);
    $("body-count").textContent = c.size + " / " + c.room + " · " + $("thread").dataset.parts + ": " + c.parts + " · " + c.encoding;
  }

  $("body").addEventListener("input", countBody);
  $("text").addEventListener("submit", async (e) => {
    e.preventDefault();
    const text = $("body").value;
    if (!text.trim()) return;
    try {
      await ask("POST", "/sandbox/sms", { from: $("number").value, to: smsNumber, text });
      $("body").value = "";
      countBody();
      notice("sms-note", said.sms_sent);
    } catch (err) {
      notice("sms-note", sentence(err.message), true);
    }
    $("body").focus();
    poll();
  });
  // Another number is another phone: nothing of the one before stays.
  $("number").addEventListener("change", () => {
    line++;
    drop(session);
    hangUp();
    rest();
    clearScreen();
    clearOutcome();
    notice("sms-note", "");
    seen = new Set();
    unread = 0;
    $("unread").hidden = true;
    notice("arrived", "");
    poll();
  });

  // --- wallet ---

  function showOutcome(o) {
    const texts = { paid: said.wallet_paid, refused: said.wallet_refused, going_on: said.wallet_going_on };
    notice("pay-note", texts[o.state], o.state === "refused");
    $("outcome").hidden = false;
    for (const [id, value] of [["out-sum", o.sum], ["out-result", o.result], ["out-comment", o.comment], ["out-txn", o.txn_id], ["out-prv", o.prv_txn]]) {
      $(id).textContent = value === "" ? "—" : value;
    }
  }

  function clearOutcome() {
    notice("pay-note", "");
    $("outcome").hidden = true;
    $("out-txn").textContent = ""; // whoever follows the old payment stops
  }

  async function follow(txn) {
    const o = await ask("GET", "/sandbox/wallet/payments?txn_id=" + encodeURIComponent(txn)).catch(() => null);
    if (!o || $("out-txn").textContent !== txn) return;
    showOutcome(o);
    if (o.state === "going_on") setTimeout(() => follow(txn), 3000);
  }

  $("pay").addEventListener("submit", async (e) => {
    e.preventDefault();
    const code = $("code").value.replace(/\s/g, "");
    const button = $("pay").querySelector("button");
    const mine = line;
    clearOutcome();
    if (!/^[0-9]{1,30}$/.test(code)) {
      notice("pay-note", said.bad_code, true);
      return;
    }
    button.disabled = true;
    notice("pay-note", said.wallet_paying);
    try {
      const o = await ask("POST", "/sandbox/wallet/payments", { code, phone: $("number").value });
      if (mine === line) showOutcome(o);
      if (mine === line && o.state === "going_on") setTimeout(() => follow(o.txn_id), 3000);
    } catch (err) {
      if (mine === line) notice("pay-note", sentence(err.message), true);
    }
    button.disabled = false;
    poll();
  });

  // --- tabs ---

  // Where there is room the messages stand beside the phone, and their tab goes.
  const wide = window.matchMedia("(min-width: 48rem)");
  const tabs = [...document.querySelectorAll("[role=tab]")];
  let chosen = tabs[0];

  function select(tab) {
    chosen = tab;
    const shown = wide.matches && tab.id === "tab-sms" ? tabs[0] : tab;
    for (const t of tabs) {
      const on = t === shown;
      t.setAttribute("aria-selected", String(on));
      t.tabIndex = on ? 0 : -1;
      $(t.getAttribute("aria-controls")).hidden = !on;
    }
    $("tab-sms").hidden = wide.matches;
    if (wide.matches) $("panel-sms").hidden = false;
    $("panel-sms").setAttribute("role", wide.matches ? "region" : "tabpanel");
    $("panel-sms").setAttribute("aria-labelledby", wide.matches ? "thread-title" : "tab-sms");
    if (!$("panel-sms").hidden) {
      unread = 0;
      $("unread").hidden = true;
      notice("arrived", "");
      $("thread").scrollTop = $("thread").scrollHeight;
    }
    history.replaceState(null, "", "#" + tab.id.slice(4));
    for (const a of document.querySelectorAll(".languages a")) a.hash = location.hash;
  }
  for (const tab of tabs) tab.addEventListener("click", () => select(tab));
  wide.addEventListener("change", () => select(chosen));
  document.querySelector("[role=tablist]").addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const there = tabs.filter((t) => !t.hidden);
    const next = there[(there.indexOf(document.activeElement) + step + there.length) % there.length];
    next.focus();
    select(next);
  });

  // --- what to try ---

  // field is where one types now.
  function field() {
    if (!$("panel-wallet").hidden) return $("code");
    return $("panel-ussd").hidden ? $("body") : $("entry");
  }

  function put(value) {
    const target = field();
    if (target.id === "entry" && !session) { // it would be dialled
      notice("note", $("screen").dataset.first);
      target.focus();
      return;
    }
    const join = target.value && target.id === "body" ? target.value.replace(/\s*$/, " ") : "";
    target.value = join + value;
    target.dispatchEvent(new Event("input"));
    target.focus();
  }

  for (const span of document.querySelectorAll(".try [data-put], .try [data-number]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = span.textContent;
    button.addEventListener("click", () => {
      if (span.dataset.put) {
        put(span.dataset.put);
        return;
      }
      if ($("number").value === span.dataset.number) return;
      $("number").value = span.dataset.number;
      $("number").dispatchEvent(new Event("change"));
    });
    span.replaceChildren(button);
  }

  // --- another language ---

  // The page is loaded anew in another language; the phone goes on. What is being
  // typed at the screen may be a secret and is not kept.
  const kept = "eshik.phone";
  document.querySelector(".languages").addEventListener("click", (e) => {
    if (!e.target.closest("a")) return;
    sessionStorage.setItem(kept, JSON.stringify({ number: $("number").value, session, last, body: $("body").value, code: $("code").value }));
  });

  function restore() {
    const state = JSON.parse(sessionStorage.getItem(kept) || "null");
    sessionStorage.removeItem(kept);
    if (!state || ![...$("number").options].some((o) => o.value === state.number)) return;
    $("number").value = state.number;
    $("body").value = state.body;
    $("code").value = state.code;
    if (!state.last) return;
    if (state.session) go(state.last);
    else showScreen(state.last);
  }

  phone.hidden = false;
  $("try-lead").hidden = false;
  restore();
  select($("tab-" + location.hash.slice(1)) || tabs[0]);
  countBody();
  poll();
  setInterval(() => {
    if (!document.hidden) poll();
  }, 2000);
})();

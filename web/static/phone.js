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

  function showScreen(answer) {
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

  async function press(keys) {
    if (busy) return;
    busy = true;
    $("send").disabled = true;
    document.querySelector(".screen").classList.add("busy");
    notice("note", session ? said.waiting : said.calling);
    try {
      const answer = await ask("POST", "/sandbox/ussd", keys);
      showScreen(answer);
      if (answer.end) {
        hangUp();
      } else {
        session = answer.session;
        $("cancel").disabled = false;
        setEntry("answer", "");
      }
    } catch (err) {
      notice("note", sentence(err.message), true);
      if (err.message !== "bad_request") hangUp();
    } finally {
      busy = false;
      $("send").disabled = false;
      document.querySelector(".screen").classList.remove("busy");
      $("entry").focus();
    }
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
  $("cancel").addEventListener("click", async () => {
    const ending = session;
    hangUp();
    notice("note", said.ended);
    await ask("POST", "/sandbox/ussd", { session: ending, cancel: true }).catch(() => {});
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
  $("number").addEventListener("change", () => {
    const ending = session;
    if (ending) ask("POST", "/sandbox/ussd", { session: ending, cancel: true }).catch(() => {});
    hangUp();
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
    if (!/^[0-9]{1,30}$/.test(code)) {
      notice("pay-note", said.bad_code, true);
      return;
    }
    button.disabled = true;
    notice("pay-note", said.wallet_paying);
    try {
      const o = await ask("POST", "/sandbox/wallet/payments", { code, phone: $("number").value });
      showOutcome(o);
      if (o.state === "going_on") setTimeout(() => follow(o.txn_id), 3000);
    } catch (err) {
      notice("pay-note", sentence(err.message), true);
    }
    button.disabled = false;
    poll();
  });

  // --- tabs ---

  const tabs = [...document.querySelectorAll("[role=tab]")];
  function select(tab) {
    for (const t of tabs) {
      const on = t === tab;
      t.setAttribute("aria-selected", String(on));
      t.tabIndex = on ? 0 : -1;
      $(t.getAttribute("aria-controls")).hidden = !on;
    }
    if (tab.id === "tab-sms") {
      unread = 0;
      $("unread").hidden = true;
      notice("arrived", "");
      $("thread").scrollTop = $("thread").scrollHeight;
    }
    history.replaceState(null, "", "#" + tab.id.slice(4));
    for (const a of document.querySelectorAll(".top nav a")) a.hash = location.hash;
  }
  for (const tab of tabs) tab.addEventListener("click", () => select(tab));
  document.querySelector("[role=tablist]").addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    select(next);
  });

  const wanted = $("tab-" + location.hash.slice(1));
  if (wanted) select(wanted);
  countBody();
  poll();
  setInterval(() => {
    if (!document.hidden) poll();
  }, 2000);
})();

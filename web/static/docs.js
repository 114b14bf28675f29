// Tries operations of the contract against this very server. The token stays in
// its field; nothing is kept.
"use strict";

(() => {
  const said = JSON.parse(document.getElementById("said").textContent);
  const signIn = document.getElementById("sign-in");
  const token = document.getElementById("token");

  // request makes of an operation's fields what fetch takes.
  function request(operation, form) {
    let path = operation.dataset.path;
    const query = new URLSearchParams();
    const init = { method: operation.dataset.method, headers: {} };
    for (const field of form.querySelectorAll("[data-in]")) {
      if (field.value === "") continue;
      if (field.dataset.in === "path") path = path.replace("{" + field.name + "}", encodeURIComponent(field.value));
      if (field.dataset.in === "query") query.set(field.name, field.value);
      if (field.dataset.in === "header") init.headers[field.name] = field.value;
      if (field.dataset.in === "body") {
        init.headers["Content-Type"] = field.dataset.media;
        init.body = field.value;
      }
    }
    if ("signIn" in operation.dataset) init.headers.Authorization = "Bearer " + token.value.trim();
    init.headers["Accept-Language"] = document.documentElement.lang;
    return [path + (query.size ? "?" + query : ""), init];
  }

  // readable is an answer's body as people read it.
  async function readable(response) {
    const type = response.headers.get("Content-Type") || "";
    if (!/json|text|yaml|csv/.test(type)) {
      const blob = await response.blob();
      return blob.size ? said.file + " " + type + ", " + blob.size + " B" : "";
    }
    const text = await response.text();
    if (!type.includes("json")) return text;
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  }

  function notice(form, text, bad) {
    const p = form.querySelector("[role=status]");
    p.textContent = text;
    p.hidden = !text;
    p.classList.toggle("bad", Boolean(bad));
  }

  async function send(operation, form) {
    const result = form.querySelector(".result");
    result.hidden = true;
    if ("signIn" in operation.dataset && !token.value.trim()) {
      notice(form, said.need_token, true);
      token.focus();
      return;
    }
    notice(form, said.sending);
    try {
      const response = await fetch(...request(operation, form));
      const body = await readable(response);
      notice(form, response.status + " " + response.statusText, !response.ok);
      result.textContent = body || said.empty;
      result.hidden = false;
    } catch {
      notice(form, said.network, true);
    }
  }

  signIn.hidden = false;
  signIn.addEventListener("submit", (e) => e.preventDefault());
  for (const details of document.querySelectorAll(".try")) {
    const form = details.querySelector("form");
    details.hidden = false;
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      send(details.closest(".operation"), form);
    });
  }
})();

// Pays a fine by its plate, as a payment app does, with nothing but Node 18 or later:
// URL=http://127.0.0.1:8080 CLIENT=$(cat var/sandbox/wallet-oauth.secret) node docs/examples/wallet/wallet.mjs 01KG123ABC
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const { URL: server, CLIENT: secret } = process.env;
const plate = process.argv[2];
const user = "u-7f3a"; // our own pseudonym of who asks

// An access token, which is good for five minutes (RFC 6749, section 4.4).
async function signIn(id) {
  const login = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64");
  const response = await fetch(`${server}/partner/oauth/token`, {
    method: "POST",
    headers: { Authorization: `Basic ${login}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  const token = await response.json();
  if (!response.ok) throw new Error(`no token: ${response.status} ${token.error_description}`);
  return token.access_token;
}

// A request of REST. Where nobody can say what came of it, the same is sent again: that has one
// effect, however often.
async function ask(token, method, path, body, key) {
  const headers = { Authorization: `Bearer ${token}`, "Accept-Language": "en" };
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let fault;
  for (let pause = 1000; pause < 64000; pause *= 2) {
    try {
      const response = await fetch(`${server}/partner/v1${path}`, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(60000) });
      const answer = await response.json();
      if (response.ok) return answer;
      fault = new Error(`${response.status} ${answer.code}: ${answer.detail}`);
      fault.final = response.status < 500 && response.status !== 429;
    } catch (lost) {
      fault = lost;
    }
    if (fault.final) break;
    await sleep(pause);
  }
  throw fault;
}

async function payByPlate(token) {
  const { results: [found] } = await ask(token, "POST", "/bills", { user, find: [{ plate }] });
  if (found.answer !== "found") return console.log("answer:", found.answer); // none, unknown and not_now are three things
  const [owed] = found.bills;
  const txn = String(randomInt(2 ** 47));
  const quote = await ask(token, "POST", "/quotes", { user, service: owed.service, bills: [owed.ref] }, `quote-${txn}`);
  console.log(`to pay: ${(quote.amount / 100).toFixed(2)} som by the code ${quote.code}`);
  let payment = await ask(token, "PUT", `/payments/${txn}`, { code: quote.code, amount: quote.amount });
  while (payment.state === "accepted") {
    await sleep(1000);
    payment = await ask(token, "GET", `/payments/${txn}`);
  }
  console.log("state:", payment.state);
}

await payByPlate(await signIn("demo-wallet"));

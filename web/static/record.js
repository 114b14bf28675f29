// Checks a certificate's code as `eshik verify` does, without network: by the trust bundle that
// was fetched before. What both say of one code a test compares (services/certificate).
"use strict";

const certificate = (() => {
  const mostCode = 8192; // bytes of text
  const mostMessage = 4296; // bytes
  const skew = 300; // seconds that clocks may be apart
  const listBits = 20;
  const listSize = 1 << listBits;
  const leastCode = 100;
  const utf8 = new TextEncoder();
  const foreign = new Error("no code of ours");
  const damaged = new Error("not read whole");

  function must(holds, error) {
    if (!holds) throw error || damaged;
  }

  // --- the text of a code: the address with digits, or base45 behind a prefix ---

  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

  function base45(text) {
    const out = [];
    must(text.length % 3 !== 1);
    for (let at = 0; at < text.length; at += 3) {
      const digits = [...text.slice(at, at + 3)].map((c) => alphabet.indexOf(c));
      must(!digits.includes(-1));
      const n = digits.reduceRight((sum, d) => sum * 45 + d, 0);
      must(n < (digits.length === 3 ? 65536 : 256));
      if (digits.length === 3) out.push(n >> 8);
      out.push(n & 255);
    }
    return new Uint8Array(out);
  }

  const sizes = { 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7 }; // bytes that so many digits hold

  function decimal(text) {
    const out = [];
    must(/^[0-9]*$/.test(text));
    for (let at = 0; at < text.length; at += 17) {
      const digits = text.slice(at, at + 17);
      const size = sizes[digits.length];
      const n = BigInt(digits);
      must(size && n >> BigInt(8 * size) === 0n);
      for (let i = size - 1; i >= 0; i--) out.push(Number((n >> BigInt(8 * i)) & 255n));
    }
    return new Uint8Array(out);
  }

  const addressed = /^https?:\/\/[^\s/?#]+([^\s?#]*)(?:\?[^\s#]*)?#(.*)$/i;

  function unpack(typed) {
    must(utf8.encode(typed).length <= mostCode, foreign);
    const text = typed.replace(/[\r\n\t]/g, "").trim();
    const parts = addressed.exec(text);
    if (parts) {
      const held = parts[2].replaceAll(" ", "");
      must(parts[1].toLowerCase().endsWith("/verify") || held.startsWith("5925"), foreign);
      return decimal(held);
    }
    if (/^ESHIK[12]:/i.test(text)) return base45(text.slice(7).replace(/[a-z]/g, (c) => c.toUpperCase()));
    if (text.startsWith("RRQ")) return base45(text);
    must(text.startsWith("5925") && text.length >= leastCode, foreign);
    return decimal(text.replaceAll(" ", ""));
  }

  // --- CBOR (RFC 8949), as much of it as our records use ---

  function decode(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    const take = (n) => {
      must(n <= bytes.length - at);
      at += n;
      return at - n;
    };
    const head = () => {
      const first = bytes[take(1)];
      const info = first & 31;
      must(info < 28);
      if (info < 24) return [first >> 5, info];
      if (info === 24) return [first >> 5, bytes[take(1)]];
      if (info === 25) return [first >> 5, view.getUint16(take(2))];
      if (info === 26) return [first >> 5, view.getUint32(take(4))];
      return [first >> 5, Number(view.getBigUint64(take(8)))];
    };
    const item = (depth) => {
      must(depth < 16);
      const [type, n] = head();
      switch (type) {
        case 0: return n;
        case 1: return -1 - n;
        case 2: return bytes.subarray(take(n), at);
        case 3: return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(take(n), at));
        case 4: return list(n, depth);
        case 5: return map(n, depth);
        case 6: return { tag: n, value: item(depth + 1) };
      }
      must(n >= 20 && n <= 22); // no record has numbers with a fraction
      return [false, true, null][n - 20];
    };
    const list = (n, depth) => {
      const out = [];
      must(n <= bytes.length);
      for (let i = 0; i < n; i++) out.push(item(depth + 1));
      return out;
    };
    const map = (n, depth) => {
      const out = new Map();
      must(n <= bytes.length);
      for (let i = 0; i < n; i++) {
        const key = item(depth + 1);
        must(!out.has(key));
        out.set(key, item(depth + 1));
      }
      return out;
    };
    const whole = item(0);
    must(at === bytes.length);
    return whole;
  }

  // --- COSE_Sign1 (RFC 9052) with a CBOR Web Token (RFC 8392) ---

  const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  const isBytes = (v) => v instanceof Uint8Array;

  function read(message) {
    must(message.length <= mostMessage);
    const whole = decode(message);
    must(whole.tag === 18 && Array.isArray(whole.value) && whole.value.length === 4);
    const [covered, open, payload, signature] = whole.value;
    must(isBytes(covered) && open instanceof Map && isBytes(payload) && isBytes(signature));
    const headers = decode(covered);
    must(headers instanceof Map && headers.get(1) === -7); // ES256
    const kid = headers.get(4);
    must(isBytes(kid) && kid.length === 8);
    return { kid: hex(kid), covered, payload, signature, claims: claimsOf(decode(payload)) };
  }

  function claimsOf(map) {
    must(map instanceof Map);
    const get = (key, fits, otherwise) => {
      if (!map.has(key)) return otherwise;
      must(fits(map.get(key)));
      return map.get(key);
    };
    const isText = (v) => typeof v === "string";
    return {
      issuer: get(1, isText, ""), expires: get(4, Number.isInteger, 0), issued: get(6, Number.isInteger, 0), id: get(7, isBytes, new Uint8Array()),
      status: get(-65538, Number.isInteger, null), content: map.get(-65537),
    };
  }

  // signedBytes is what a signature of COSE covers: ["Signature1", protected, h'', payload].
  function signedBytes(covered, payload) {
    const length = (n) => (n < 24 ? [64 + n] : n < 256 ? [88, n] : [89, n >> 8, n & 255]);
    return new Uint8Array([132, 106, ...utf8.encode("Signature1"), ...length(covered.length), ...covered, 64, ...length(payload.length), ...payload]);
  }

  const ecdsa = { name: "ECDSA", hash: "SHA-256" };

  // record is what a signed record says; null: it is of a version that this script is too old for.
  // kinds are those that it knows.
  function recordOf(claims, kinds) {
    const content = claims.content;
    if (!(content instanceof Map)) return null;
    const text = (map, key) => (map.has(key) ? map.get(key) : "");
    const person = (map) => map instanceof Map && { name: text(map, 1), born: text(map, 2), relation: text(map, 3) };
    const record = {
      number: new TextDecoder().decode(claims.id), issued: claims.issued, kind: content.get(1), holder: person(content.get(2) || new Map()),
      address: text(content, 3), members: content.get(4) || [], count: content.get(5) || 0, digest: content.has(6), places: content.get(7) || 0,
      facts: content.get(8) || [], rows: content.get(9) || [],
    };
    if (typeof record.kind !== "string" || !Object.hasOwn(kinds, record.kind) || !Array.isArray(record.members)) return null;
    if (![record.facts, record.rows].every(Array.isArray) || !record.rows.every(Array.isArray)) return null;
    record.members = record.members.map(person);
    const texts = [record.holder, ...record.members].flatMap((p) => (p ? [p.name, p.born, p.relation] : [null]));
    return [record.address, ...texts, ...record.facts, ...record.rows.flat()].every((v) => typeof v === "string") ? record : null;
  }

  // --- the trust bundle: a JSON Web Signature (RFC 7515) by one of its own keys ---

  function base64url(text) {
    must(/^[\w-]*$/.test(text));
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(raw, (c) => c.charCodeAt(0));
  }

  const json = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

  async function token(text, type, keys) {
    const parts = text.split(".");
    must(parts.length === 3);
    const header = json(base64url(parts[0]));
    const key = keys.get(header.kid);
    must(header.alg === "ES256" && header.typ === type && key && !key.revoked && !key.exp);
    const good = await crypto.subtle.verify(ecdsa, key.public, base64url(parts[2]), utf8.encode(parts[0] + "." + parts[1]));
    must(good);
    return json(base64url(parts[1]));
  }

  async function bits(encoded) {
    must(encoded.startsWith("u"));
    const packed = new Blob([base64url(encoded.slice(1))]).stream();
    const list = new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
    must(list.length === listSize / 8);
    return list;
  }

  // trust reads a trust bundle. It throws where that is none, or is not whole.
  async function trust(text) {
    const parts = text.trim().split(".");
    must(parts.length === 3);
    const keys = new Map();
    for (const { kid, kty, crv, x, y, nbf, exp, revoked } of json(base64url(parts[1])).keys.keys) {
      const made = await crypto.subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
      keys.set(kid, { public: made, nbf, exp: exp || 0, revoked: Boolean(revoked) });
    }
    const bundle = await token(text.trim(), "eshik-trust+jwt", keys);
    const lists = [];
    for (const list of bundle.status_lists || []) {
      lists.push(await bits((await token(list, "vc+jwt", keys)).credentialSubject.encodedList));
    }
    return { asOf: bundle.iat, until: bundle.exp, issuer: bundle.iss, keys, lists };
  }

  // --- the outcome ---

  function revoked(by, index) {
    if (index === null || index < 0 || index >= by.lists.length * listSize) return [false, false];
    const at = index % listSize;
    return [(by.lists[Math.floor(index / listSize)][at >> 3] & (128 >> (at & 7))) !== 0, true];
  }

  function stands(by, claims, key, now) {
    const [gone, told] = revoked(by, claims.status);
    if (gone) return "revoked";
    if (key.revoked) return "unknown"; // anybody may have signed it
    if (claims.issued < key.nbf - skew || (key.exp && claims.issued > key.exp + skew)) return "foreign";
    if (claims.expires && now > claims.expires) return "expired";
    if (!told || claims.issued > by.asOf || now < by.asOf - skew || now > by.until) return "unknown";
    return "genuine";
  }

  // check gives the outcome of a code at a moment (seconds since 1970), and the record that was
  // signed where the signature is good: {outcome, record}. kinds are those of certificates that are known.
  async function check(by, code, now, kinds) {
    let message;
    try {
      message = read(unpack(code));
    } catch (error) {
      return { outcome: error === foreign ? "foreign" : "altered" };
    }
    const { kid, covered, payload, signature, claims } = message;
    const key = by.keys.get(kid);
    if (!key) return { outcome: claims.issued > by.asOf - skew ? "unknown" : "foreign" };
    if (!(await crypto.subtle.verify(ecdsa, key.public, signature, signedBytes(covered, payload)))) return { outcome: "altered" };
    if (claims.issuer !== by.issuer) return { outcome: "foreign" };
    const record = recordOf(claims, kinds);
    return record ? { outcome: stands(by, claims, key, now), record } : { outcome: "unknown" };
  }

  return { trust, check };
})();

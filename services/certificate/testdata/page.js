// Checks codes as the page /verify does, by its own scripts. Standard input: {"page": what the
// page is given, "asked": [{"trust": a bundle, "code", "at": seconds since 1970}]}; for each one
// line of JSON: {"outcome", "words"}.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const script = (name) => fs.readFileSync(path.join(__dirname, '../../../web/static', name), 'utf8');
const context = vm.createContext({ crypto: globalThis.crypto, TextEncoder, TextDecoder, Blob, Response, DecompressionStream, atob });
const { certificate, words } = vm.runInContext(script('record.js') + script('words.js').replace('"use strict";', '') + ';({certificate, words})', context);

async function main() {
  const { page, asked } = JSON.parse(fs.readFileSync(0, 'utf8'));
  const bundles = new Map();
  for (const { trust, code, at } of asked) {
    if (!bundles.has(trust)) bundles.set(trust, await certificate.trust(trust).catch((error) => ({ error })));
    const by = bundles.get(trust);
    if (by.error) {
      console.log(JSON.stringify({ outcome: 'no trust' }));
      continue;
    }
    const { outcome, record } = await certificate.check(by, code, at, page.kinds);
    console.log(JSON.stringify({ outcome, words: record ? ['ky', 'ru'].map((of) => words.of(record, of, page)) : null }));
  }
}

main();

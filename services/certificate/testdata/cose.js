// Verifies certificates' QR codes as somebody does who has our published keys and nothing of ours:
// COSE by cose-js. Standard input: {"keys": a COSE_KeySet in hex, "codes": [texts]}; for each
// text one line says what its record is of, or "refused".
const cbor = require('cbor');
const cose = require('cose-js');

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

function base45(text) {
  const out = [];
  for (let i = 0; i < text.length; i += 3) {
    const digits = [...text.slice(i, i + 3)].map((c) => alphabet.indexOf(c));
    const n = digits.reduceRight((sum, d) => sum * 45 + d, 0);
    if (digits.length === 3) out.push(n >> 8);
    out.push(n & 255);
  }
  return Buffer.from(out);
}

// decimal reads groups of 17 digits for seven bytes, and fewer for what is left.
function decimal(digits) {
  const sizes = { 0: 0, 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7 };
  const groups = (digits.match(/.{1,17}/g) || []).map((g) => {
    if (!(g.length in sizes)) throw new Error('cut');
    return Buffer.from(BigInt(g).toString(16).padStart(2 * sizes[g.length], '0'), 'hex');
  });
  return Buffer.concat(groups);
}

async function claims(code, keys) {
  const [, digits] = code.split('#');
  const message = digits ? decimal(digits) : base45(code.replace(/^ESHIK[12]:/, ''));
  const kid = cbor.decodeFirstSync(cbor.decodeFirstSync(message).value[0]).get(4).toString('hex');
  if (!keys.has(kid)) throw new Error('no such key');
  const payload = await cose.sign.verify(message, { key: keys.get(kid) });
  return cbor.decodeFirstSync(payload);
}

async function main() {
  const input = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const keys = new Map();
  for (const key of cbor.decodeFirstSync(Buffer.from(input.keys, 'hex'))) {
    keys.set(key.get(2).toString('hex'), { x: key.get(-2), y: key.get(-3) });
  }
  for (const code of input.codes) {
    try {
      const record = await claims(code, keys);
      console.log(`${record.get(1)} ${record.get(7)}`);
    } catch {
      console.log('refused');
    }
  }
}

main();

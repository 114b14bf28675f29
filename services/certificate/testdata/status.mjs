// Reads a status list as somebody does who has our published keys and nothing of ours: the signature
// by jose, the bits by @digitalbazaar/bitstring. Standard input: {"jwks": …, "list": a JWT,
// "indices": [numbers]}; a line for the list, and one for each index.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.env.NODE_PATH + '/');
const { compactVerify, createLocalJWKSet } = await import(pathToFileURL(require.resolve('jose')));
const { Bitstring } = await import(pathToFileURL(require.resolve('@digitalbazaar/bitstring')));

const input = JSON.parse(readFileSync(0, 'utf8'));
const { payload, protectedHeader } = await compactVerify(input.list, createLocalJWKSet(input.jwks), { algorithms: ['ES256'] });
const credential = JSON.parse(Buffer.from(payload).toString());
const { encodedList, statusPurpose, type } = credential.credentialSubject;
const buffer = await Bitstring.decodeBits({ encoded: encodedList.slice(1) });
const bits = new Bitstring({ buffer });
console.log(`${protectedHeader.typ} ${type} ${statusPurpose} ${encodedList[0]} ${bits.length}`);
for (const index of input.indices) console.log(bits.get(index) ? 'revoked' : 'valid');

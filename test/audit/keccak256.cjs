/** A keccak-256 tool as docs/audit.md asks for one: hex in, hex out. */
const { readFileSync } = require('node:fs');
const { keccak } = require('hash-wasm');

keccak(Buffer.from(readFileSync(0, 'utf8').trim(), 'hex'), 256).then((hex) => process.stdout.write(`${hex}\n`));

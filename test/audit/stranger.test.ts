import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { keccak } from 'hash-wasm';
import { auditBundle } from '../../src/commands/audit-bundle';
import { publishedClaims } from '../../src/commands/claims';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { settledNetwork } from './worlds';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const sha256sum = (text: string) => createHash('sha256').update(text).digest('hex');
const micro = (text: string) => {
  const [whole, rest = ''] = text.split('.');
  return BigInt(whole + rest.padEnd(6, '0'));
};
const nano = (text: string) => {
  const [whole, rest = ''] = text.split('.');
  return BigInt(whole + rest.padEnd(9, '0'));
};

// The steps of docs/audit.md, "A stranger's check", by nothing of ours but the file and the proof.
test('one payout can be verified by hand, from a known head to the claim', async () => {
  const network = await settledNetwork(database);
  const context = { pool: database.open('settle_auditor') };
  const known = (
    await database.superuser.query<{ head: string }>(
      `select head from settle.chain_entry where network = $1 and epoch = 5 and kind = 'claims'`,
      [network],
    )
  ).rows[0]!.head;
  const F = JSON.parse(gunzipSync(await auditBundle(context, network, 5)).toString('utf8'));
  const [revision, claims] = F.entries.slice(-2);
  expect(claims.head).toBe(known);
  expect(sha256sum(claims.entry)).toBe(known);
  expect(JSON.parse(claims.entry).previousHead).toBe(sha256sum(revision.entry));
  const content = JSON.parse(revision.entry);
  const lines = (all: string[]) => all.map((line) => `${line}\n`).join('');
  const { payouts, rows, policy } = F.revisions.at(-1);
  expect(sha256sum(lines(payouts.map((line: string) => line.replace(/,[^,]*$/, ''))))).toBe(content.payoutsDigest);
  expect(sha256sum(lines(F.prices['5/1']))).toBe(content.pricesDigest);

  const [, gross, capCut, scaleCut, amount, , multiplier] = payouts
    .find((line: string) => line.startsWith('p3,'))
    .split(',');
  expect(BigInt(gross) - BigInt(capCut) - BigInt(scaleCut)).toBe(BigInt(amount));
  const rates = new Map(F.prices['5/1'].map((line: string) => [line.split(',')[0], BigInt(line.split(',').at(-1)!)]));
  const shares = JSON.parse(policy.canonical).market;
  const own = rows.capacity.map((line: string) => line.split(',')).filter((cells: string[]) => cells[1] === 'p3');
  const sum = own.reduce((total: bigint, [, , market, offered, served]: string[]) => {
    const idle = micro(offered!) - micro(served!);
    const standby = idle < micro(served!) ? idle : micro(served!);
    const hours = micro(served!) * 10n ** 9n + standby * nano(shares[market!].standbyShare);
    return total + (hours * (rates.get(market) as bigint) * nano(multiplier!)) / 10n ** 27n;
  }, 0n);
  expect(sum).toBe(BigInt(gross));

  const payee = rows.providers.find((line: string) => line.startsWith('p3,')).split(',')[3];
  const { tree } = await publishedClaims(context, network, 5, await nodeHashes());
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const leaf = payee.slice(2).padStart(64, '0') + tree.amount(payee).toString(16).padStart(64, '0');
  let hash = await keccak(bytes(await keccak(bytes(leaf), 256)), 256);
  for (const sibling of tree.proof(payee)) {
    hash = await keccak(bytes([hash, sibling.slice(2)].sort().join('')), 256);
  }
  expect(`0x${hash}`).toBe(JSON.parse(claims.entry).root);
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Activities } from '../../activities';
import { allot } from '../../src/audit/second/amounts';
import { snapshotDigest } from '../../src/audit/second/digests';
import { readBundle, rowsByEpoch } from '../../src/audit/second/inputs';
import { censusUptimes, judgePerformance } from '../../src/audit/second/performance';
import { readPolicy } from '../../src/audit/second/policy';
import type { Row, TableName, Tables } from '../../src/audit/second/tables';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { type CorrectionFiles, contentOf, corrected, HEADERS, payoutsOf, WITHDRAWN } from './disputing';

const EPOCH = 1;
const PROVIDERS = 6;
const KNOBS = { providers: PROVIDERS, epochs: 2, pool: '150', providerShare: '0.3' };
const sha256 = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex');

let database: TestDatabase;
let activities: Activities;

beforeAll(async () => {
  database = await freshDatabase();
  activities = await activitiesOn(database.worker, { chunkProviders: 2 });
});
afterAll(() => database.close());

/** Rows to replace or add, and keys to withdraw, of one table. */
interface Change {
  readonly put: readonly string[];
  readonly gone: readonly string[];
}
type Changes = Readonly<Record<'providers' | 'capacity' | 'performance', Change>>;

const changed = fc.record({
  providers: fc.uniqueArray(fc.nat(PROVIDERS - 1), { maxLength: 2 }),
  capacity: fc.uniqueArray(
    fc.record({
      provider: fc.nat(PROVIDERS - 1),
      market: fc.constantFrom('gpu', 'disk'),
      micro: fc.option(fc.tuple(fc.nat(50_000_000), fc.nat(50_000_000)), { freq: 4 }),
    }),
    { minLength: 1, maxLength: 6, selector: ({ provider, market }) => `${provider}/${market}` },
  ),
  performance: fc.uniqueArray(
    fc.record({
      provider: fc.nat(PROVIDERS - 1),
      uptime: fc.constantFrom('', '0.3', '0.5', '0.9', '1', null),
      response: fc.constantFrom('', '10', '300', '2000'),
      rating: fc.constantFrom('', '1', '3.25', '5'),
    }),
    { maxLength: 4, selector: ({ provider }) => provider },
  ),
});

const hours = (micro: number): string => `${Math.floor(micro / 1e6)}.${String(micro % 1e6).padStart(6, '0')}`;

function changesOf(drawn: typeof changed extends fc.Arbitrary<infer T> ? T : never): Changes {
  return {
    providers: { put: drawn.providers.map((p) => `p${p},0,suspended,`), gone: [] },
    capacity: {
      put: drawn.capacity.flatMap(({ provider, market, micro }) => {
        if (micro === null) return [];
        const [offered, served] = [Math.max(...micro), Math.min(...micro)];
        return [`${EPOCH},p${provider},${market},${hours(offered)},${hours(served)}`];
      }),
      gone: drawn.capacity.flatMap(({ provider, market, micro }) =>
        micro === null ? [`${EPOCH},p${provider},${market}`] : [],
      ),
    },
    performance: {
      put: drawn.performance.flatMap(({ provider, uptime, response, rating }) =>
        uptime === null ? [] : [`${EPOCH},p${provider},${uptime},${response},,${rating}`],
      ),
      gone: drawn.performance.flatMap(({ provider, uptime }) => (uptime === null ? [`${EPOCH},p${provider}`] : [])),
    },
  };
}

function filesOf(changes: Changes): CorrectionFiles {
  const text = (header: string, lines: readonly string[]) => [header, ...lines].map((line) => `${line}\n`).join('');
  return Object.fromEntries(
    (['providers', 'capacity', 'performance'] as const).flatMap((table): [string, string][] => {
      const { put, gone } = changes[table];
      return [
        [`${table}.csv`, text(HEADERS[table], put)],
        ...(table === 'providers' ? [] : [[`withdraw/${table}.csv`, text(WITHDRAWN[table], gone)] as [string, string]]),
      ];
    }),
  );
}

/** The bundle's rows of the epoch with the changes in them, as the second implementation reads them. */
function correctedRows(changes: Changes): Tables {
  const texts: Record<TableName, string> = bundleTexts(KNOBS);
  const keys = { providers: 1, capacity: 3, performance: 2 };
  for (const table of ['providers', 'capacity', 'performance'] as const) {
    const keyOf = (line: string) => line.split(',').slice(0, keys[table]).join(',');
    const { put, gone } = changes[table];
    const replaced = new Set([...put.map(keyOf), ...gone]);
    const [header, ...lines] = texts[table].trimEnd().split('\n') as [string, ...string[]];
    texts[table] = [header, ...lines.filter((line) => !replaced.has(keyOf(line))), ...put]
      .map((l) => `${l}\n`)
      .join('');
  }
  const { tables } = readBundle(texts, new Set(['gpu', 'disk']));
  return rowsByEpoch(tables)(EPOCH);
}

/** Amounts of spec §10, pinned, over exact fractions: the rates are those of revision 1. */
function payoutsBySecond(rows: Tables, rates: ReadonlyMap<string, bigint>) {
  const policy = readPolicy(policyDocument(KNOBS));
  const offering = new Set(rows.capacity.filter((row: Row) => Number(row[3]) > 0).map((row) => row[1]));
  const active = new Set(
    rows.providers
      .filter((row) => row[2] === 'active' && offering.has(row[0] as string))
      .map((row) => row[0] as string),
  );
  const judgements = judgePerformance(rows, active, censusUptimes(rows, active, policy), policy);
  return allot(EPOCH, rows, judgements, rates, policy);
}

async function ratesOf(network: string): Promise<ReadonlyMap<string, bigint>> {
  const found = await database.viewer.query<{ market: string; rate: string }>(
    `select market, rate::text from price where network = $1 and epoch = $2 and revision = 1`,
    [network, EPOCH],
  );
  return new Map(found.rows.map(({ market, rate }) => [market, BigInt(rate)]));
}

test('payouts of a pinned revision are those that the second implementation computes from the corrected rows', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(changed, async (drawn) => {
      const changes = changesOf(drawn);
      const rows = correctedRows(changes);
      fc.pre(rows.capacity.length > 0);
      // The registry row of a provider without capacity is no part of the epoch, and refused as a correction.
      const present = new Set(rows.capacity.map((row) => row[1]));
      fc.pre(drawn.providers.every((p) => present.has(`p${p}`)));
      const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, KNOBS);
      await settleAllInProcess(activities, network);
      await corrected(database, activities, network, EPOCH, filesOf(changes));
      const expected = payoutsBySecond(rows, await ratesOf(network));
      const found = await payoutsOf(database, network, EPOCH, 2);
      expect(found.map(({ provider, amount, reason }) => ({ provider, amount, reason }))).toEqual(
        [...expected.payouts]
          .sort((a, b) => (a.provider < b.provider ? -1 : 1))
          .map(({ provider, amount, reason }) => ({ provider, amount: amount.toString(), reason })),
      );
      const content = await contentOf(database, network, EPOCH, 2);
      expect(content).toMatchObject({
        snapshotDigest: snapshotDigest(rows, sha256),
        sum: expected.sum.toString(),
        unallocated: expected.unallocated.toString(),
      });
      compared += 1;
    }),
    { numRuns: 15 },
  );
  expect(compared).toBeGreaterThanOrEqual(15);
});

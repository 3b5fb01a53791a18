import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { parse } from 'yaml';
import { checkRevision } from '../../src/audit/second/chain';
import { parseCsv } from '../../src/audit/second/csv';
import type { Hashes } from '../../src/audit/second/digests';
import { revisionContent, settleEpoch } from '../../src/audit/second/epoch';
import type { ExportedEpoch, PublishedEpoch } from '../../src/audit/second/exports';
import { canonicalTables } from '../../src/audit/second/inputs';
import { readPolicy } from '../../src/audit/second/policy';
import { type EpochRecord, readRecord } from '../../src/audit/second/records';
import { settleBundle } from '../../src/audit/second/settle';
import type { Row, Tables } from '../../src/audit/second/tables';
import { generateBundle } from '../generate/bundle';
import { loadHashes } from './hashes';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

let hashes: Hashes;
beforeAll(async () => {
  hashes = await loadHashes();
});

function settle(seed: number) {
  const bundle = generateBundle(seed);
  return settleBundle({ files: bundle.files, policy: parse(bundle.policyYaml), network: 'generated' }, hashes);
}

/** A CSV text as objects by column name. */
function objects(csv: string): Record<string, string>[] {
  const [header, ...rows] = parseCsv(csv);
  return rows.map(({ cells }) =>
    Object.fromEntries(cells.map((cell, index) => [header?.cells[index] as string, cell])),
  );
}

/** A decimal text in units of 10^-12: plain integers, apart from the fractions under test. */
function units(text: string): bigint {
  const [, sign, whole, decimals = ''] = /^(-?)([0-9]+)(?:\.([0-9]{1,12}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`"${text}" is not a canonical number`);
  return BigInt(`${sign}${whole}${decimals.padEnd(12, '0')}`);
}

const total = (amounts: bigint[]) => amounts.reduce((before, amount) => before + amount, 0n);

describe.each(SEEDS)('bundle %i', (seed) => {
  test('keeps every identity of the specification', () => {
    const settled = settle(seed);
    for (const row of objects(settled.prices)) {
      const moves = Object.keys(row).filter((column) => /^[cd]_/.test(column));
      expect(moves).toHaveLength(13);
      const reached = units(row.prev as string) + total(moves.map((column) => units(row[column] as string)));
      expect(reached).toBe(units(row.price as string));
    }
    const paid = new Map<string, bigint>();
    for (const row of objects(settled.payouts)) {
      const [gross, capCut, scaleCut, amount] = [row.gross, row.cap_cut, row.scale_cut, row.amount].map((cell) =>
        BigInt(cell as string),
      ) as [bigint, bigint, bigint, bigint];
      expect(gross - capCut - scaleCut).toBe(amount);
      expect([gross, capCut, scaleCut, amount].every((figure) => figure >= 0n)).toBe(true);
      if (row.reason !== 'paid') expect(gross).toBe(0n);
      paid.set(row.epoch as string, (paid.get(row.epoch as string) ?? 0n) + amount);
    }
    for (const row of objects(settled.epochs).filter(({ revision }) => revision === '1')) {
      expect(paid.get(row.epoch as string)).toBe(BigInt(row.sum as string));
      expect(BigInt(row.sum as string) + BigInt(row.unallocated as string)).toBe(BigInt(row.pool as string));
    }
  });

  test('has a chain that holds and the claims root of OpenZeppelin', () => {
    let head = '0'.repeat(64);
    const published = settle(seed).outcomes.filter(
      (outcome): outcome is PublishedEpoch => outcome.state === 'published',
    );
    for (const revision of published) {
      expect(checkRevision(revision, hashes)).toEqual([]);
      expect(revision.previousHead).toBe(head);
      head = revision.claimsHead;
    }
    const last = published.at(-1);
    const leaves = (last?.claims ?? []).map(({ payee, cumulative }) => [payee, cumulative.toString()]);
    const root =
      leaves.length === 0 ? `0x${'0'.repeat(64)}` : StandardMerkleTree.of(leaves, ['address', 'uint256']).root;
    expect(last?.claimsContent.root).toBe(root);
  });
});

test('the generator is deterministic, and its seeds differ', () => {
  expect(generateBundle(7)).toEqual(generateBundle(7));
  expect(generateBundle(7)).not.toEqual(generateBundle(8));
});

test('sizes can be chosen', () => {
  const { files, policyYaml } = generateBundle(3, { providers: 40, epochs: 5, markets: 15 });
  expect(objects(files.providers).length).toBeGreaterThanOrEqual(40);
  const epochs = objects(files.token).map(({ epoch }) => Number(epoch));
  expect(Math.max(...epochs) - Math.min(...epochs)).toBe(4);
  expect(Object.keys((parse(policyYaml) as { market: object }).market)).toHaveLength(15);
});

test('one epoch is recomputed from the texts of its rows and of its history', () => {
  const bundle = generateBundle(11);
  const policy = readPolicy(parse(bundle.policyYaml));
  const published = settleBundle(
    { files: bundle.files, policy: parse(bundle.policyYaml), network: 'generated' },
    hashes,
  ).outcomes.filter((outcome): outcome is PublishedEpoch => outcome.state === 'published');
  const last = published.at(-1) as PublishedEpoch;
  expect(published.length).toBeGreaterThan(10);
  const history: EpochRecord[] = published
    .slice(0, -1)
    .map(({ content, settlement }) => readRecord({ ...content, prices: settlement.prices }));
  const shuffled = Object.fromEntries(
    Object.entries(last.settlement.rows).map(([name, rows]) => [name, [...(rows as Row[])].reverse()]),
  ) as unknown as Tables;
  const outcome = settleEpoch(last.epoch, canonicalTables(shuffled), policy, history);
  if (outcome.state === 'failed') throw new Error(outcome.failure);
  expect(revisionContent(outcome, 'generated', policy, hashes.sha256)).toEqual(last.content);
  expect(() => settleEpoch(last.epoch, last.settlement.rows, policy, [...history].reverse())).toThrow(/history/);
});

/** What a settled bundle shows of the specification's corners, from its exports and outcomes. */
function cornersOfPrices(csv: string): string[] {
  return objects(csv).flatMap((row) => {
    const moving = Object.keys(row).filter((column) => /^[cds]_/.test(column) && row[column] !== '0');
    const quotes = row.competitor_epoch === row.epoch ? 'own quotes' : 'earlier quotes';
    const demand = row.demand === '0' ? 'no demand' : 'demand';
    const supply = row.supply === '0' ? 'no supply' : 'supply';
    return [
      ...moving.map((column) => `${column} moves`),
      row.competitor_epoch === '' ? 'no competitor' : quotes,
      row.forecast === row.demand ? 'no forecast' : 'a forecast',
      `${supply}, ${demand}`,
    ];
  });
}

function cornersOfPayouts(csv: string): string[] {
  return objects(csv).flatMap((row) => [
    row.reason as string,
    row.cap_cut === '0' ? 'not capped' : 'capped',
    row.scale_cut === '0' ? 'not scaled' : 'scaled',
  ]);
}

function cornersOfEpochs(csv: string): string[] {
  return objects(csv).flatMap((row) => [
    ...(row.breakers as string).split(';').map((id) => `breaker ${id}`),
    row.unallocated_reason as string,
    row.sum === '0' ? 'nothing paid' : 'something paid',
    `${row.active_providers} active`,
  ]);
}

function cornersOfOutcomes(outcomes: readonly ExportedEpoch[]): string[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.state === 'failed') return [outcome.missing.join(' and ')];
    const { census, measures } = outcome.settlement;
    return [census.noVerdict ? 'no verdict' : 'a verdict', measures.everybodyIdle ? 'everybody idle' : 'somebody busy'];
  });
}

test('the bundles of these seeds reach every corner of the specification', () => {
  const seen = new Set(
    SEEDS.flatMap((seed) => {
      const settled = settle(seed);
      return [
        ...cornersOfPrices(settled.prices),
        ...cornersOfPayouts(settled.payouts),
        ...cornersOfEpochs(settled.epochs),
        ...cornersOfOutcomes(settled.outcomes),
      ];
    }),
  );
  const expected = [
    ...['supply', 'demand', 'market_conditions', 'available_capacity', 'provider_growth', 'usage_patterns'].flatMap(
      (word) => [`s_${word} moves`, `c_${word} moves`],
    ),
    ...['s_peak_demand', 's_competition', 'c_competition', 's_market_trends', 'c_market_trends'].map(
      (column) => `${column} moves`,
    ),
    ...['d_band', 'd_step', 'd_bounds', 'd_premium', 'd_ceiling'].map((column) => `${column} moves`),
    ...['no competitor', 'own quotes', 'earlier quotes', 'a forecast'],
    ...['supply, no demand', 'no supply, demand', 'no supply, no demand', 'supply, demand', 'everybody idle'],
    ...['paid', 'suspended', 'no-capacity', 'no-performance-data', 'below-minimum-uptime', 'capped', 'scaled'],
    ...['priceChange', 'totalChange', 'supplyDrop', 'topShare', 'belowMinimumUptimeShare', 'tokenMove'].map(
      (id) => `breaker ${id}`,
    ),
    ...['breaker overServed', 'breaker unmeasuredShare', 'breaker failed(incomplete-inputs)', 'breaker '],
    ...['unspent', 'rounding', 'nothing paid', '0 active', '1 active', 'no verdict'],
    ...['capacity', 'token-price', 'capacity and token-price'],
  ];
  expect(expected.filter((corner) => !seen.has(corner))).toEqual([]);
});

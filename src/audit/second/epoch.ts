/** The settlement of one epoch from its sealed rows, a policy and the history that it reads (spec §3 to §8). */
import { type Allotment, allot, rateOf } from './amounts';
import { type Breaker, readBreakers } from './breakers';
import type { RevisionContent } from './chain';
import { documentDigest, type HashFunction, snapshotDigest, tableDigest } from './digests';
import { decimalText } from './fraction';
import { brokenGuard, type GuardId, type SettledMarket } from './guards';
import { type Measures, measureEpoch, measureToken, type TokenMeasures } from './measures';
import { growthPhase, multiplyMarket } from './multipliers';
import { byBytes } from './order';
import { censusUptimes, type Judgement, judgePerformance, type UptimeCensus } from './performance';
import type { Policy } from './policy';
import { discoverPrice } from './prices';
import type { EpochRecord } from './records';
import { payoutsRow, pricesRow } from './results';
import type { Row, Tables } from './tables';

/** An epoch that was computed and holds: it is ready to be published, on hold where a breaker tripped. */
export interface EpochSettlement {
  readonly state: 'settled';
  readonly epoch: number;
  readonly rows: Tables;
  readonly measures: Measures;
  readonly census: UptimeCensus;
  readonly markets: readonly SettledMarket[];
  readonly judgements: readonly Judgement[];
  readonly allotment: Allotment;
  readonly breakers: readonly Breaker[];
  /** Rows of the prices table and of the payouts table, canonical cells ordered by key. */
  readonly prices: readonly Row[];
  readonly payouts: readonly Row[];
  /** What later epochs read of this one once it is published. */
  readonly record: EpochRecord;
}

/** What an epoch lacks for its sealing (spec §3). */
export type MissingInput = 'capacity' | 'token-price';

export interface EpochFailure {
  readonly state: 'failed';
  readonly epoch: number;
  readonly failure: 'incomplete-inputs' | GuardId;
  /** Empty where a guard stopped the epoch. */
  readonly missing: readonly MissingInput[];
}

export type EpochOutcome = EpochSettlement | EpochFailure;

/** History is read oldest first and from published epochs below this one only. */
function checkHistory(epoch: number, history: readonly EpochRecord[]): void {
  for (const [index, past] of history.entries()) {
    const later = history[index + 1]?.epoch ?? epoch;
    if (past.epoch >= later) throw new Error(`epoch ${past.epoch} of the history does not come before ${later}`);
  }
}

/**
 * Settles one epoch (revision 1) whose input deadline is past. `rows` are its sealed rows, `history` the published
 * epochs below it, oldest first. The answer is a settlement or a failure by a name of spec §3 or §8.
 * Throws an Error for a history out of order.
 */
export function settleEpoch(
  epoch: number,
  rows: Tables,
  policy: Policy,
  history: readonly EpochRecord[],
): EpochOutcome {
  checkHistory(epoch, history);
  const token = measureToken(epoch, rows, policy);
  if (rows.capacity.length === 0 || token === undefined) {
    const missing: MissingInput[] = [];
    if (rows.capacity.length === 0) missing.push('capacity');
    if (token === undefined) missing.push('token-price');
    return { state: 'failed', epoch, failure: 'incomplete-inputs', missing };
  }
  const settlement = compute(epoch, rows, token, policy, history);
  const broken = brokenGuard(settlement, policy);
  return broken === undefined ? settlement : { state: 'failed', epoch, failure: broken, missing: [] };
}

function compute(
  epoch: number,
  rows: Tables,
  token: TokenMeasures,
  policy: Policy,
  history: readonly EpochRecord[],
): EpochSettlement {
  const last = history.at(-1);
  const measures = measureEpoch(epoch, rows, token, policy, history);
  const phase = growthPhase(measures.activeProviders.size, policy, last);
  const markets = policy.markets.map((market, index): SettledMarket => {
    const measured = measures.markets[index];
    if (measured === undefined) throw new Error(`market ${market.market} was not measured`);
    const price = discoverPrice(measured, measures, policy, market);
    const multipliers = multiplyMarket(price.signals, phase, policy);
    return { price, multipliers, rate: rateOf(price.price, multipliers.network, token.price, policy.decimals) };
  });
  const census = censusUptimes(rows, measures.activeProviders, policy);
  const judgements = judgePerformance(rows, measures.activeProviders, census, policy);
  const rates = new Map(markets.map(({ price, rate }) => [price.market, rate]));
  const allotment = allot(epoch, rows, judgements, rates, policy);
  const prices = markets.map(({ price }) => price);
  return {
    state: 'settled',
    epoch,
    rows,
    measures,
    census,
    markets,
    judgements,
    allotment,
    breakers: readBreakers({ measures, prices, census, allotment, last }, policy),
    prices: measures.markets.map((measured, index) => pricesRow(measured, markets[index] as SettledMarket)),
    payouts: [...allotment.payouts].sort((a, b) => byBytes(a.provider, b.provider)).map(payoutsRow),
    record: {
      epoch,
      markets: measures.markets.map(({ market, supply, demand, competitor }, index) => {
        const { base, price } = (markets[index] as SettledMarket).price;
        return { market, supply, demand, competitor, base, price };
      }),
      activeProviders: measures.activeProviders.size,
      growthPhase: phase.name,
      tokenPrice: token.price,
      tokenVolume: token.volume,
      sum: allotment.sum,
    },
  };
}

/** The content of an epoch's first revision (spec §9). */
export function revisionContent(
  settlement: EpochSettlement,
  network: string,
  policy: Policy,
  sha256: HashFunction,
): RevisionContent {
  const { allotment, measures, record } = settlement;
  return {
    kind: 'revision',
    network,
    epoch: settlement.epoch,
    revision: 1,
    ruleset: 1,
    policyHash: documentDigest(policy.document, sha256),
    snapshotDigest: snapshotDigest(settlement.rows, sha256),
    pricesDigest: tableDigest(settlement.prices, sha256),
    payoutsDigest: tableDigest(settlement.payouts, sha256),
    activeProviders: record.activeProviders,
    growthPhase: record.growthPhase,
    tokenPrice: decimalText(record.tokenPrice),
    tokenVolume: decimalText(record.tokenVolume),
    macro: decimalText(measures.macro),
    pool: allotment.pool.toString(),
    sum: allotment.sum.toString(),
    unallocated: allotment.unallocated.toString(),
  };
}

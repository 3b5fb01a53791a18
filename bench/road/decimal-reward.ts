import { Decimal } from 'decimal.js';
import type { PoolClient } from 'pg';
import type { CurvePoints, Policy } from '../../src/rulesets/1/policy';
import type { Metric } from '../../src/rulesets/1/records';
import { FIRST, type Rules, rulesOfFirst } from './rules';
import type { Servers } from './servers';
import { timed } from './settling';

/** The reward step as one would write it first: decimal.js row by row, and an INSERT for every thousand rows. */
export interface DecimalReward {
  readonly providers: number;
  readonly seconds: number;
}

const BATCH = 1000;
/** It is measured on so many providers at most: it takes the same time for each. */
const MOST_PROVIDERS = 100_000;

const Exact = Decimal.clone({ precision: 100, rounding: Decimal.ROUND_HALF_EVEN, defaults: true });

interface Row {
  readonly provider: string;
  readonly market: string;
  readonly offered: string;
  readonly served: string;
  readonly status: string;
  readonly uptime: string | null;
  readonly response_ms: string | null;
  readonly error_rate: string | null;
  readonly rating: string | null;
}

interface Earned {
  readonly provider: string;
  readonly reason: string;
  readonly gross: Decimal;
  readonly capped: Decimal;
  readonly multiplier: Decimal | null;
}

export async function measureDecimalReward(servers: Servers): Promise<DecimalReward> {
  const rules = await rulesOfFirst(servers.owner);
  const client = await servers.owner.connect();
  try {
    await client.query('create schema decimal_reward');
    await client.query('create table decimal_reward.payout (like settle.payout including all)');
    const { seconds, result } = await timed(() => reward(client, rules));
    return { providers: result, seconds };
  } finally {
    await client.query('drop schema if exists decimal_reward cascade');
    client.release();
  }
}

async function reward(client: PoolClient, rules: Rules): Promise<number> {
  const earned: Earned[] = [];
  for (let after = ''; earned.length < MOST_PROVIDERS; ) {
    const { rows } = await client.query<Row>(
      `select c.provider, c.market, c.offered, c.served, r.status, f.uptime, f.response_ms, f.error_rate, f.rating
       from settle.capacity c
       join settle.provider_version r on r.network = c.network and r.provider = c.provider
       left join settle.performance f on f.network = c.network and f.epoch = c.epoch and f.provider = c.provider
       where c.network = $1 and c.epoch = $2 and c.provider > $3 order by c.provider limit ${BATCH}`,
      [FIRST.network, FIRST.epoch, after],
    );
    for (const row of rows) earned.push(earnedBy(row, rules));
    if (rows.length < BATCH) break;
    after = rows.at(-1)!.provider;
  }
  const total = earned.reduce((sum, { capped }) => sum.plus(capped), new Exact(0));
  for (let from = 0; from < earned.length; from += BATCH) {
    await insert(client, earned.slice(from, from + BATCH), rules, total);
  }
  return earned.length;
}

function earnedBy(row: Row, { policy, derivation }: Rules): Earned {
  const { performance } = policy.rewards;
  const reason = reasonOf(row, performance.minimumUptime);
  if (reason !== 'paid') {
    return { provider: row.provider, reason, gross: new Exact(0), capped: new Exact(0), multiplier: null };
  }
  const multiplier = multiplierOf(row, policy);
  const { rate } = derivation.multipliers.find(({ market }) => market === row.market)!;
  const served = new Exact(row.served).times(1e6);
  const idle = Exact.min(new Exact(row.offered).times(1e6).minus(served), served);
  const hours = served.plus(idle.times(policy.markets.get(row.market)!.standbyShare));
  const gross = hours.times(rate.toString()).times(multiplier).dividedBy('1e9').floor();
  const capped = Exact.min(gross, derivation.cap.toString());
  return { provider: row.provider, reason, gross, capped, multiplier };
}

function reasonOf(row: Row, minimumUptime: Decimal): string {
  if (row.status === 'suspended') return 'suspended';
  if (new Exact(row.offered).isZero()) return 'no-capacity';
  if (row.uptime === null) return 'no-performance-data';
  return new Exact(row.uptime).lessThan(minimumUptime) ? 'below-minimum-uptime' : 'paid';
}

function multiplierOf(row: Row, policy: Policy): Decimal {
  const { weights, missingScore, curves, multiplier } = policy.rewards.performance;
  const cells: readonly (readonly [Metric, string | null])[] = [
    ['uptime', row.uptime],
    ['responseTime', row.response_ms],
    ['errorRate', row.error_rate],
    ['userRating', row.rating],
  ];
  let sum = new Exact(0);
  let weight = new Exact(0);
  for (const [metric, cell] of cells) {
    const missing = metric === 'uptime' ? new Exact(0) : missingScore[metric];
    sum = sum.plus(weights[metric].times(cell === null ? missing : curve(curves[metric], new Exact(cell))));
    weight = weight.plus(weights[metric]);
  }
  return curve(multiplier, sum.dividedBy(weight).toDecimalPlaces(9));
}

function curve(points: CurvePoints, x: Decimal): Decimal {
  const upper = points.findIndex((point) => x.lessThanOrEqualTo(point[0]));
  if (upper <= 0) return upper === 0 ? points[0]![1] : points.at(-1)![1];
  const [x0, y0] = points[upper - 1]!;
  const [x1, y1] = points[upper]!;
  return new Exact(y0).plus(x.minus(x0).times(y1.minus(y0)).dividedBy(x1.minus(x0))).toDecimalPlaces(9);
}

async function insert(
  client: PoolClient,
  rows: readonly Earned[],
  { derivation }: Rules,
  total: Decimal,
): Promise<void> {
  const pool = new Exact(derivation.pool.toString());
  const amounts = rows.map(({ capped }) =>
    total.lessThanOrEqualTo(pool) ? capped : capped.times(pool).dividedBy(total).floor(),
  );
  await client.query(
    `insert into decimal_reward.payout (network, epoch, revision, computation, provider, gross, cap_cut, scale_cut, amount, reason, multiplier)
     select $1, $2, 1, 1, * from unnest($3::text[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::text[], $9::numeric[])`,
    [
      FIRST.network,
      FIRST.epoch,
      rows.map(({ provider }) => provider),
      rows.map(({ gross }) => gross.toFixed()),
      rows.map(({ gross, capped }) => gross.minus(capped).toFixed()),
      rows.map(({ capped }, index) => capped.minus(amounts[index]!).toFixed()),
      amounts.map((amount) => amount.toFixed()),
      rows.map(({ reason }) => reason),
      rows.map(({ multiplier }) => multiplier?.toFixed() ?? null),
    ],
  );
}

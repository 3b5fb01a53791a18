import type { CurvePoints, Policy } from '../../src/rulesets/1/policy';
import type { Metric } from '../../src/rulesets/1/records';
import { FIRST, type Rules, rulesOfFirst } from './rules';
import type { Servers } from './servers';
import { timed } from './settling';

export interface SqlReward {
  readonly seconds: number;
  /** Rows whose gross differs from the settled one: SQL rounds halves away from zero, the specification to even. */
  readonly differing: number;
}

const COLUMN: Readonly<Record<Metric, string>> = {
  uptime: 'f.uptime',
  responseTime: 'f.response_ms',
  errorRate: 'f.error_rate',
  userRating: 'f.rating',
};

/** The reward step as one SQL statement with numeric, into a table equal to the payouts'. */
export async function measureSqlReward(servers: Servers): Promise<SqlReward> {
  const rules = await rulesOfFirst(servers.owner);
  const client = await servers.owner.connect();
  try {
    await client.query('create schema sql_reward');
    await client.query('create table sql_reward.payout (like settle.payout including all)');
    const { seconds } = await timed(() => client.query(statementOf(rules)));
    const found = await client.query<{ n: number }>(
      `select count(*) as n from sql_reward.payout a
       full join (select * from settle.payout where epoch = ${FIRST.epoch}) b
         using (network, epoch, revision, computation, provider)
       where (a.gross, a.reason) is distinct from (b.gross, b.reason)`,
    );
    return { seconds, differing: found.rows[0]!.n };
  } finally {
    await client.query('drop schema if exists sql_reward cascade');
    client.release();
  }
}

function statementOf({ policy, derivation }: Rules): string {
  const { minimumUptime } = policy.rewards.performance;
  const rates = derivation.multipliers
    .map(({ market, rate }) => `('${market}', ${rate}::numeric, ${policy.markets.get(market)!.standbyShare}::numeric)`)
    .join(', ');
  const { pool, cap } = derivation;
  return `
    insert into sql_reward.payout (network, epoch, revision, computation, provider, gross, cap_cut, scale_cut, amount, reason, multiplier)
    with rate(market, rate, standby) as (values ${rates}),
    own as (
      select c.provider, max(c.offered) as offered, array_agg(c.market) as markets,
        array_agg(c.served) as served, array_agg(least(c.offered - c.served, c.served)) as idle
      from settle.capacity c where c.network = '${FIRST.network}' and c.epoch = ${FIRST.epoch} group by c.provider),
    judged as (
      select o.*, case when r.status = 'suspended' then 'suspended' when o.offered = 0 then 'no-capacity'
          when f.uptime is null then 'no-performance-data' when f.uptime < ${minimumUptime} then 'below-minimum-uptime'
          else 'paid' end as reason,
        ${multiplierOf(policy)} as multiplier
      from own o
      join settle.provider_version r on r.network = '${FIRST.network}' and r.provider = o.provider
      left join settle.performance f on f.network = '${FIRST.network}' and f.epoch = ${FIRST.epoch} and f.provider = o.provider),
    earned as materialized (
      select j.provider, j.reason, case when j.reason = 'paid' then j.multiplier end as multiplier,
        case when j.reason = 'paid' then (
          select sum(div((line.served * 1000000 * 1000000000 + line.idle * 1000000 * rate.standby * 1000000000)
            * rate.rate * (j.multiplier * 1000000000), 1000000000000000000000000000::numeric))
          from unnest(j.markets, j.served, j.idle) line(market, served, idle) join rate using (market)) else 0 end as gross
      from judged j),
    total as (select sum(least(gross, ${cap}::numeric)) as capped from earned)
    select '${FIRST.network}', ${FIRST.epoch}, 1, 1, e.provider, e.gross, e.gross - a.capped, a.capped - a.amount, a.amount, e.reason, e.multiplier
    from earned e, total t
    cross join lateral (select least(e.gross, ${cap}::numeric) as capped) c
    cross join lateral (select c.capped, case when t.capped <= ${pool} then c.capped else div(c.capped * ${pool}, t.capped) end as amount) a`;
}

function multiplierOf(policy: Policy): string {
  const { weights, missingScore, curves, multiplier } = policy.rewards.performance;
  const metrics = Object.keys(COLUMN) as Metric[];
  const sum = metrics.map((metric) => weights[metric].toFixed()).join(' + ');
  const scores = metrics.map((metric) => {
    const missing = metric === 'uptime' ? '0' : missingScore[metric].toFixed();
    return `${weights[metric].toFixed()} * coalesce(${curveOf(curves[metric], COLUMN[metric])}, ${missing})`;
  });
  const quality = `round((${scores.join(' + ')}) / (${sum}), 9)`;
  return `(select ${curveOf(multiplier, 'q')} from (select ${quality} as q) quality)`;
}

function curveOf(points: CurvePoints, x: string): string {
  const [first, ...rest] = points;
  let previous = first!;
  const pieces = rest.map((point) => {
    const [x0, y0] = previous;
    const [x1, y1] = point;
    previous = point;
    return `when ${x} <= ${x1} then round(${y0} + (${x} - ${x0}) * (${y1} - ${y0}) / (${x1} - ${x0}), 9)`;
  });
  return `case when ${x} is null then null when ${x} <= ${first![0]} then ${first![1]} ${pieces.join(' ')} else ${previous[1]} end`;
}

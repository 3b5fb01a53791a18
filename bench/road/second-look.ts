import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { parse } from 'yaml';
import { allot } from '../../src/audit/second/amounts';
import { censusUptimes, judgePerformance } from '../../src/audit/second/performance';
import { readPolicy } from '../../src/audit/second/policy';
import type { Tables } from '../../src/audit/second/tables';
import { FIRST, rulesOfFirst } from './rules';

/**
 * After every run: the first epoch's amounts add up to its pool in the database, and a sample of its payouts is what the
 * second implementation, which shares no code with the first, makes of the sealed rows at the published rates.
 */
export interface SecondLook {
  readonly sampled: number;
}

const SAMPLE = 2000;

/** @throws Error that names what does not add up or differs */
export async function lookAgain(pool: Pool, policyFile: string): Promise<SecondLook> {
  const sums = await conservation(pool);
  const { derivation } = await rulesOfFirst(pool);
  const policy = readPolicy(parse(readFileSync(policyFile, 'utf8')));
  const tables = await sampledRows(pool);
  const active = new Set(
    tables.capacity
      .filter((row) => row[3] !== '0' && tables.providers.some((one) => one[0] === row[1] && one[2] === 'active'))
      .map((row) => row[1]!),
  );
  // The verdict is the epoch's, not the sample's.
  const census = { ...censusUptimes(tables, active, policy), noVerdict: !derivation.performanceVerdict };
  const judgements = judgePerformance(tables, active, census, policy);
  const rates = new Map(derivation.multipliers.map(({ market, rate }) => [market as string, rate as bigint]));
  const { payouts } = allot(FIRST.epoch, tables, judgements, rates, policy);
  const stored = await storedPayouts(
    pool,
    payouts.map(({ provider }) => provider),
  );
  for (const { provider, gross, capCut, reason } of payouts) {
    const capped = gross - capCut;
    const amount = sums.capped > derivation.pool ? (capped * derivation.pool) / sums.capped : capped;
    const wanted = [gross, capCut, capped - amount, amount, reason].join(',');
    if (stored.get(provider) === wanted) continue;
    throw new Error(`${provider} was settled as ${stored.get(provider)}; the second implementation has ${wanted}`);
  }
  return { sampled: payouts.length };
}

async function conservation(pool: Pool): Promise<{ readonly capped: bigint }> {
  const { rows } = await pool.query<Record<'sum' | 'capped' | 'pool' | 'stated' | 'unallocated', string>>(
    `select p.*, c.entry::jsonb ->> 'pool' as pool, c.entry::jsonb ->> 'sum' as stated, c.entry::jsonb ->> 'unallocated' as unallocated
     from (select sum(amount)::text as sum, sum(gross - cap_cut)::text as capped from settle.payout where epoch = $1) p,
       settle.chain_entry c where c.epoch = $1 and c.kind = 'revision'`,
    [FIRST.epoch],
  );
  const { sum, capped, pool: whole, stated, unallocated } = rows[0]!;
  if (sum !== stated || BigInt(sum) + BigInt(unallocated) !== BigInt(whole)) {
    throw new Error(
      `amounts come to ${sum}, stated ${stated}, and with ${unallocated} unallocated not to the pool of ${whole}`,
    );
  }
  return { capped: BigInt(capped) };
}

async function sampledRows(pool: Pool): Promise<Tables> {
  const sampled = `select provider from settle.provider_version where network = '${FIRST.network}' order by md5(provider) limit ${SAMPLE}`;
  const read = async (columns: readonly string[], table: string, where: string) => {
    const cells = columns.map((column) => `coalesce(${column}::text, '') as ${column}`).join(', ');
    const { rows } = await pool.query<Record<string, string>>(
      `select ${cells} from settle.${table} where network = '${FIRST.network}' and ${where} provider in (${sampled})
       order by provider collate "C"`,
    );
    return rows.map((row) => columns.map((column) => row[column]!));
  };
  const ofEpoch = `epoch = ${FIRST.epoch} and`;
  return {
    providers: await read(['provider', 'joined_epoch', 'status', 'payee'], 'provider_version', ''),
    capacity: await read(['epoch', 'provider', 'market', 'offered', 'served'], 'capacity', ofEpoch),
    performance: await read(
      ['epoch', 'provider', 'uptime', 'response_ms', 'error_rate', 'rating'],
      'performance',
      ofEpoch,
    ),
    demand: [],
    quotes: [],
    token: [],
    macro: [],
  };
}

async function storedPayouts(pool: Pool, providers: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await pool.query<{ provider: string; line: string }>(
    `select provider, concat_ws(',', gross, cap_cut, scale_cut, amount, reason) as line from settle.payout
     where network = $1 and epoch = $2 and provider = any($3)`,
    [FIRST.network, FIRST.epoch, providers],
  );
  return new Map(rows.map(({ provider, line }) => [provider, line]));
}

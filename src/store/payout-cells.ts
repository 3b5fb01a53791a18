import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { ComputationKey } from './computations';

/** The payouts table of a computation, canonical cells by bytes of the provider's name, as fast as they are taken. */
export function payoutCells(client: PoolClient, key: ComputationKey): AsyncGenerator<readonly string[]> {
  return copiedCells(
    client,
    settingsOf('of', key),
    `select provider, gross, cap_cut, scale_cut, amount, reason from payout where ${ofComputation('of')} order by provider`,
  );
}

/**
 * What a revision changed: provider, amount of the revision before, its own, and the difference, of every provider whose
 * amount differs, by bytes of the provider's name.
 */
export function adjustmentCells(
  client: PoolClient,
  before: ComputationKey,
  after: ComputationKey,
): AsyncGenerator<readonly string[]> {
  return copiedCells(
    client,
    { ...settingsOf('before', before), ...settingsOf('after', after) },
    `select provider, coalesce(b.amount, 0), coalesce(a.amount, 0), coalesce(a.amount, 0) - coalesce(b.amount, 0)
     from (select provider, amount from payout where ${ofComputation('before')}) b
     full join (select provider, amount from payout where ${ofComputation('after')}) a using (provider)
     where coalesce(a.amount, 0) <> coalesce(b.amount, 0) order by provider`,
  );
}

/** COPY takes no parameters: they are settings of the transaction. */
const settingsOf = (name: string, { network, epoch, revision, computation }: ComputationKey) => ({
  [`settle.${name}_network`]: network,
  [`settle.${name}_epoch`]: String(epoch),
  [`settle.${name}_revision`]: String(revision),
  [`settle.${name}_computation`]: String(computation),
});

const ofComputation = (name: string): string => `network = current_setting('settle.${name}_network')
  and epoch = current_setting('settle.${name}_epoch')::integer
  and revision = current_setting('settle.${name}_revision')::integer
  and computation = current_setting('settle.${name}_computation')::integer`;

async function* copiedCells(
  client: PoolClient,
  settings: Readonly<Record<string, string>>,
  query: string,
): AsyncGenerator<readonly string[]> {
  for (const [name, value] of Object.entries(settings)) {
    await client.query('select set_config($1, $2, true)', [name, value]);
  }
  const stream = client.query(copyTo(`copy (${query}) to stdout (format csv)`));
  let rest = '';
  for await (const part of stream) {
    const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    // No cell can need a quote: identifiers, whole numbers and five words.
    for (const line of lines) yield line.split(',');
  }
}

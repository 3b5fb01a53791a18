import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { ComputationKey } from './computations';

/** The payouts table of a computation, canonical cells by bytes of the provider's name, as fast as they are taken. */
export async function* payoutCells(client: PoolClient, key: ComputationKey): AsyncGenerator<readonly string[]> {
  await client.query(
    `select set_config('settle.network', $1, true), set_config('settle.epoch', $2, true),
       set_config('settle.revision', $3, true), set_config('settle.computation', $4, true)`,
    [key.network, String(key.epoch), String(key.revision), String(key.computation)],
  );
  const stream = client.query(
    copyTo(`copy (
      select provider, gross, cap_cut, scale_cut, amount, reason from payout
      where network = current_setting('settle.network') and epoch = current_setting('settle.epoch')::integer
        and revision = current_setting('settle.revision')::integer
        and computation = current_setting('settle.computation')::integer
      order by provider) to stdout (format csv)`),
  );
  let rest = '';
  for await (const part of stream) {
    const lines = (rest + (part as Buffer).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    // No cell of a payout can need a quote: identifiers, whole numbers and five words.
    for (const line of lines) yield line.split(',');
  }
}

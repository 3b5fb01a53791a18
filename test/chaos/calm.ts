import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import type { Round } from './plan';
import type { Servers } from './servers';

/**
 * Settles a network of the same name and inputs in a database of its own, by the activities alone, with nothing
 * disturbing them; returns how the first revisions of the disturbed one differ from it.
 */
export async function freshCalm(servers: Servers, network: string, round: Round): Promise<readonly string[]> {
  const calm = await servers.calmDatabase();
  const { providers, epochs, heldEpoch } = round;
  const knobs = { providers, epochs, held: [heldEpoch], pool: '10', holds: 'release' as const };
  await makeNetwork({ pool: calm.operator, actor: 'calm' }, knobs, network);
  await settleAllInProcess(await activitiesOn(calm.worker, { chunkProviders: 2 }), network);
  const digests = async (pool: typeof calm.superuser) => {
    const found = await pool.query<{ epoch: number; digest: string }>(
      `select epoch, content_digest as digest from settle.chain_entry
       where network = $1 and kind = 'revision' and revision = 1 order by position`,
      [network],
    );
    return found.rows;
  };
  const [expected, actual] = [await digests(calm.superuser), await digests(servers.direct)];
  return expected.flatMap(({ epoch, digest }, index) => {
    const found = actual[index];
    return found?.epoch === epoch && found.digest === digest
      ? []
      : [`${network} ${epoch}@1: undisturbed ${digest}, here ${found?.digest ?? 'nothing'} of epoch ${found?.epoch}`];
  });
}

import { checkDigests } from '../../src/audit/check-digests';
import { checkPolicy } from '../../src/audit/check-policy';
import { checkRecompute } from '../../src/audit/check-recompute';
import { checkRows } from '../../src/audit/check-rows';
import { DossierLoader } from '../../src/audit/load-dossier';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { unchangingView } from '../../src/store/pool';
import { FIRST } from './rules';
import type { Servers } from './servers';
import { timed } from './settling';

/** Auditing the first epoch by recomputation with the first implementation, without replay. */
export async function measureAudit(servers: Servers): Promise<{ readonly seconds: number }> {
  const hashes = await nodeHashes();
  const { seconds } = await timed(() =>
    unchangingView(servers.owner, async (client) => {
      const loader = await DossierLoader.open(client, FIRST.network);
      const dossier = await loader.load(loader.publications(FIRST.epoch, FIRST.epoch)[0]!);
      // Each throws where something differs.
      for (const check of [checkRows, checkPolicy, checkRecompute, checkDigests]) check(dossier, hashes);
    }),
  );
  return { seconds };
}

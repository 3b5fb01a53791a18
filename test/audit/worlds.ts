import type { AuditTools } from '../../src/commands/audit-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import type { TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetworkOf, type NetworkKnobs } from '../harness/networks';
import { policyDocument } from '../harness/policy';

/** Tools of an audit without histories. */
export async function plainTools(witness: string | null = null): Promise<AuditTools> {
  return { hashes: await nodeHashes(), witness, replay: async () => new Map() };
}

/** A network that is settled by the activities in order, with a hold that was released in its last epoch but one. */
export async function settledNetwork(database: TestDatabase, knobs: NetworkKnobs = {}): Promise<string> {
  const context = { pool: database.operator, actor: 'operator' };
  const all = { epochs: 6, providers: 7, held: [4], ...knobs };
  const texts = bundleTexts(all);
  const span = { first: 0, last: all.epochs - 1, holds: 'release' as const };
  const network = await makeNetworkOf(
    context,
    { ...texts, capacity: possible(texts.capacity) },
    JSON.stringify(policyDocument(all)),
    span,
  );
  await settleAllInProcess(await activitiesOn(database.worker, { chunkProviders: 20_000 }), network);
  return network;
}

/** The harness serves the more the higher a provider's number is; nobody serves more than is offered. */
function possible(capacity: string): string {
  return capacity.replace(/,([0-9.]+),([0-9]+)$/gm, (_, offered: string, served: string) => {
    return `,${offered},${Number(served) % Math.floor(Number(offered))}`;
  });
}

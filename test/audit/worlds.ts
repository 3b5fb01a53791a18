import type { AuditTools } from '../../src/commands/audit-epochs';
import { decideHold } from '../../src/commands/decide-hold';
import { importBundle } from '../../src/commands/import-bundle';
import { settleAgain } from '../../src/commands/settle-again';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { approver, corrected, rows } from '../disputes/disputing';
import type { TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetworkOf, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

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

/**
 * A network with everything that an epoch can be, settled by the workflows and archived: 1 failed and was settled again,
 * 3 was held and approved, 2 has a pinned revision and 4 one in full, 5 failed, 6 and later were built on what is
 * superseded now.
 */
export async function variedWorld(): Promise<{ readonly world: World; readonly network: string }> {
  const world = await freshWorld();
  const knobs = { epochs: 8, providers: 6, held: [3], missing: { 1: 'token', 5: 'token' } } as const;
  const texts = bundleTexts(knobs);
  const sound = { ...texts, capacity: possible(texts.capacity) };
  const span = { first: 0, last: 7, holds: 'wait' as const };
  const network = await makeNetworkOf(world.context, sound, JSON.stringify(policyDocument()), span);
  const anton = { ...world.as('anton'), pool: approver(world.database) };
  await world.withWorker({ chunkProviders: 4 }, async () => {
    await world.settle(network);
    await decideHold(anton, { network, epoch: 3, outcome: 'approved', reason: 'it did double', contentDigest: null });
    await until('all is settled', async () => (await publishedEpochs(world.database, network)).length === 6);
    await withBundleFolder(
      { ...bundleTexts({ ...knobs, missing: { 5: 'token' } }), capacity: sound.capacity },
      (folder) => importBundle(world.context, folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
    );
    await settleAgain(world.context, { network, epoch: 1, reason: 'the prices came', requestId: null });
    // The loop archives what has ended, and there is nothing left to settle.
    await world.settle(network);
  });
  const activities = await activitiesOn(world.database.worker, { chunkProviders: 4 });
  await corrected(world.database, activities, network, 2, rows('capacity', '2,p3,gpu,13,13'));
  await corrected(world.database, activities, network, 4, rows('demand', '4,gpu,60'), { derive: 'full' });
  return { world, network };
}

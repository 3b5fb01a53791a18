import { MockActivityEnvironment } from '@temporalio/testing';
import type { Pool } from 'pg';
import { type Activities, createActivities } from '../../activities';
import type { Checked, Closed, ComputationRef, Derived, EpochRef, Rewarded, Sealed } from '../../activities/contracts';
import type { ActivityDependencies, Witness } from '../../activities/dependencies';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { scratchFile } from '../../src/worker/scratch';

export const RUN_ID = '00000000-0000-4000-8000-000000000000';

const quiet = () => undefined;
/** A logger that says nothing. */
export const QUIET = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

/** Is told nothing, and knows nothing. */
export const NO_WITNESS: Witness = { publish: async () => undefined, compare: async () => undefined };

export type DependencyKnobs = Partial<Omit<ActivityDependencies, 'pool' | 'hashes'>> & { readonly runId?: string };

/** The real activities without Temporal: each call runs in a context of its own. */
export async function activitiesOn(pool: Pool, knobs: DependencyKnobs = {}): Promise<Activities> {
  const activities = createActivities({
    pool,
    hashes: await nodeHashes(),
    witness: knobs.witness ?? NO_WITNESS,
    scratch: knobs.scratch ?? scratchFile(),
    workflowCode: null,
    chunkProviders: knobs.chunkProviders ?? 20_000,
    reached: knobs.reached ?? (() => undefined),
  });
  const workflowExecution = { workflowId: 'test', runId: knobs.runId ?? RUN_ID };
  const inContext = Object.entries(activities).map(([name, activity]) => [
    name,
    (...args: never[]) =>
      new MockActivityEnvironment({ workflowExecution }, { logger: QUIET }).run(
        activity as (...args: never[]) => Promise<unknown>,
        ...args,
      ),
  ]);
  return Object.fromEntries(inContext) as Activities;
}

/** What the road of an epoch found on its way; later steps are absent where it ended before them. */
export interface Walked {
  readonly sealed: Sealed;
  readonly derived: Derived;
  readonly cappedSum: string;
  readonly checked: Checked;
}

/** The steps from sealing to the checks, as the workflow takes them. */
export async function walkToCheck(activities: Activities, ref: EpochRef, requestId = 'test'): Promise<Walked> {
  const sealed = await activities.seal(ref);
  const derived = await activities.derive(ref, requestId);
  const cappedSum = await rewardAll(activities, derived, sealed);
  return { sealed, derived, cappedSum, checked: await activities.check(derived.key, cappedSum, requestId) };
}

export async function rewardAll(activities: Activities, derived: Derived, sealed: Sealed): Promise<string> {
  const round = async (work: (chunk: number) => Promise<Rewarded>) => {
    let sum = 0n;
    for (let chunk = 0; chunk < sealed.chunks; chunk += 1) sum += BigInt((await work(chunk)).capped);
    return sum;
  };
  const sumsFirst = sealed.chunks > 1 && derived.poolLikelyBinds;
  const sum = await round((chunk) =>
    sumsFirst ? activities.sumChunk(derived.key, chunk) : activities.reward(derived.key, chunk, null),
  );
  if (sumsFirst || (sealed.chunks > 1 && sum > BigInt(derived.pool))) {
    await round((chunk) => activities.reward(derived.key, chunk, sum.toString()));
  }
  return sum.toString();
}

export async function publishAndProve(
  activities: Activities,
  key: ComputationRef,
  contentDigest: string,
  requestId = 'test',
) {
  const published = await activities.publish(key, contentDigest, requestId);
  return { published, proved: await activities.prove(key, requestId) };
}

/** Settles one epoch by calling the activities in order. A hold that waits for a person is an error here. */
export async function settleEpochInProcess(activities: Activities, ref: EpochRef): Promise<Closed> {
  const found = await activities.gather(ref, 'test');
  if (found.kind === 'closed') return found.answer;
  if (found.kind === 'waiting') throw new Error(`epoch ${ref.epoch} waits for ${found.missing.join(', ')}`);
  if (found.kind === 'incomplete') {
    return activities.closeAsFailed(ref, 'incomplete-inputs', { missing: found.missing }, 'test');
  }
  if (found.kind === 'refused') {
    return activities.closeAsFailed(ref, found.failure, { contentDigest: found.contentDigest }, 'test');
  }
  const { derived, checked } = await walkToCheck(activities, ref);
  if (checked.hold !== null) throw new Error(`epoch ${ref.epoch} is on hold`);
  const { proved } = await publishAndProve(activities, derived.key, checked.contentDigest);
  return { kind: 'published', epoch: ref.epoch, revision: 1, contentDigest: checked.contentDigest, head: proved.head };
}

/** Settles all epochs of a network in order, as the loop does. */
export async function settleAllInProcess(activities: Activities, network: string): Promise<readonly Closed[]> {
  const closed: Closed[] = [];
  for (;;) {
    const due = await activities.nextDue({ network, upTo: null, stopWhenSilent: false });
    if (due.kind === 'finished') return closed;
    if (due.kind !== 'due') throw new Error(`network ${network}: ${due.kind}`);
    closed.push(await settleEpochInProcess(activities, { network, epoch: due.epoch }));
  }
}

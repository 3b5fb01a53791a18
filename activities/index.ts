import { activityInfo } from '@temporalio/activity';
import type { GuardId } from '../src/rulesets/1/records';
import type { FailureName } from '../src/store/failures';
import { archiveHistories } from './archive';
import { withAttempts } from './attempts';
import { check } from './check';
import { closeAsFailed, readHold } from './close';
import type { ComputationRef, DisputeRef, DueQuestion, EpochRef, InputsState, RunRef } from './contracts';
import { correctSnapshot } from './correct';
import type { ActivityDependencies } from './dependencies';
import { derive } from './derive';
import { deriveDispute } from './derive-dispute';
import { nextDue } from './due';
import { gather } from './gather';
import { prove, publish } from './publish';
import { failDispute, publishDispute, readDispute } from './publish-dispute';
import { reward, sumChunk } from './reward';
import { seal } from './seal';

/** The activities, bound to what they work with. Each loads, calls a pure function, and saves. */
export function createActivities(deps: ActivityDependencies) {
  return withAttempts(deps, {
    nextDue: (question: DueQuestion) => nextDue(deps, question),
    archiveHistories: (network: string) => archiveHistories(deps, network),
    gather: (ref: EpochRef, requestId: string) => gather(deps, ref, runOf(requestId)),
    seal: (ref: EpochRef, judged: InputsState | null = null) => seal(deps, ref, judged),
    derive: (ref: EpochRef, requestId: string) => derive(deps, ref, runOf(requestId)),
    reward: (key: ComputationRef, chunk: number, cappedSum: string | null) => reward(deps, key, chunk, cappedSum),
    sumChunk: (key: ComputationRef, chunk: number) => sumChunk(deps, key, chunk),
    check: (key: ComputationRef, cappedSum: string | null, requestId: string) =>
      check(deps, key, cappedSum, runOf(requestId)),
    readHold: (key: ComputationRef) => readHold(deps, key),
    publish: (key: ComputationRef, contentDigest: string, requestId: string) =>
      publish(deps, key, contentDigest, runOf(requestId)),
    prove: (key: ComputationRef, requestId: string) => prove(deps, key, runOf(requestId)),
    correctSnapshot: (ref: DisputeRef) => correctSnapshot(deps, ref),
    deriveDispute: (ref: DisputeRef, requestId: string) => deriveDispute(deps, ref, runOf(requestId)),
    readDispute: (ref: DisputeRef, key: ComputationRef | null) => readDispute(deps, ref, key),
    publishDispute: (ref: DisputeRef, key: ComputationRef, contentDigest: string) =>
      publishDispute(deps, ref, key, contentDigest),
    failDispute: (ref: DisputeRef, guard: GuardId, detail: Readonly<Record<string, unknown>>, requestId: string) =>
      failDispute(deps, ref, guard, detail, runOf(requestId)),
    closeAsFailed: (
      ref: EpochRef,
      failure: FailureName,
      detail: Readonly<Record<string, unknown>>,
      requestId: string,
    ) => closeAsFailed(deps, ref, failure, detail, runOf(requestId)),
  });
}

export type Activities = ReturnType<typeof createActivities>;

/** The run that an activity belongs to comes from Temporal, not from its input: an input can name any. */
function runOf(requestId: string): RunRef {
  const { workflowExecution } = activityInfo();
  return {
    workflowId: workflowExecution?.workflowId ?? 'none',
    runId: workflowExecution?.runId ?? 'none',
    requestId,
  };
}

import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { Runtime, Worker } from '@temporalio/worker';

/** A history to be replayed, in its JSON form. */
export interface ReplayedRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly json: string;
}

/**
 * Replays histories against the code that made them, with one worker for all.
 * @param code of the workflow bundle that the runs name
 * @returns by run id, why a replay did other things than the run; null: it did the same
 */
export async function replayRuns(
  code: string,
  runs: readonly ReplayedRun[],
): Promise<ReadonlyMap<string, string | null>> {
  const verdicts = new Map<string, string | null>();
  const histories = runs.flatMap((run) => {
    try {
      return [{ workflowId: run.workflowId, history: historyFromJSON(JSON.parse(run.json)) }];
    } catch (error) {
      verdicts.set(run.runId, `it cannot be read: ${(error as Error).message}`);
      return [];
    }
  });
  const options = { workflowBundle: { code }, replayName: 'audit', taskQueue: 'replay' };
  for await (const { runId, error } of Worker.runReplayHistories(options, histories)) {
    verdicts.set(runId, error === undefined ? null : error.message);
  }
  return verdicts;
}

let quieted = false;

/** The SDK tells of every worker on stderr, and traps signals, unless told before its first use. */
export function quietRuntime(): void {
  if (quieted) return;
  quieted = true;
  const quiet = () => undefined;
  Runtime.install({
    shutdownSignals: [],
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
}

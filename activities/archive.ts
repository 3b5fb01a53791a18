import { Context, heartbeat } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { bundleHashOf } from '../src/audit/workflow-history';
import { insertHistory, insertWorkflowBundle, type UnarchivedRun, unarchivedRuns } from '../src/store/history-archive';
import { transaction } from '../src/store/pool';
import type { Archived } from './contracts';
import type { ActivityDependencies } from './dependencies';

/** Runs looked at in one attempt: more than a loop closes between two archivings, few enough for a short activity. */
const RUNS_AT_ONCE = 64;

/**
 * Archives the histories of ended runs that published a revision, before the server's retention deletes them. Which
 * runs those are is told by the audit log, so that one that was missed is found the next time; one that the server no
 * longer has stays unarchived.
 */
export async function archiveHistories(deps: ActivityDependencies, network: string): Promise<Archived> {
  let archived = 0;
  for (const run of await unarchivedRuns(deps.pool, network, RUNS_AT_ONCE)) {
    const json = await endedHistory(run);
    heartbeat({ archived });
    if (json === null) continue;
    const bundleHash = bundleHashOf(json);
    await transaction(deps.pool, (client) => insertHistory(client, network, run, json, bundleHash));
    await keepBundle(deps, bundleHash);
    archived += 1;
  }
  return { archived };
}

/** The history of a run as JSON; null: it has not ended, or the server does not have it. */
async function endedHistory({ workflowId, runId }: UnarchivedRun): Promise<string | null> {
  try {
    const history = await Context.current().client.workflow.getHandle(workflowId, runId).fetchHistory();
    const last = history.events?.at(-1);
    // A run that continues as new publishes nothing, so these are the ends that there are.
    const ended =
      last?.workflowExecutionCompletedEventAttributes ??
      last?.workflowExecutionFailedEventAttributes ??
      last?.workflowExecutionTimedOutEventAttributes ??
      last?.workflowExecutionCanceledEventAttributes ??
      last?.workflowExecutionTerminatedEventAttributes;
    return ended == null ? null : historyToJSON(history);
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return null;
    throw error;
  }
}

// The code of a worker does not change; several databases are only known to tests.
const kept = new WeakMap<ActivityDependencies, Set<string>>();

/** The code that this worker runs, for the replay of the histories that it made. */
async function keepBundle(deps: ActivityDependencies, bundleHash: string | null): Promise<void> {
  const known = kept.get(deps) ?? new Set();
  if (deps.workflowCode === null || bundleHash === null || known.has(bundleHash)) return;
  const { workflowCode } = deps;
  const hash = await transaction(deps.pool, (client) => insertWorkflowBundle(client, workflowCode));
  kept.set(deps, known.add(hash));
}

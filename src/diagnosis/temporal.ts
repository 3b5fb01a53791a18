import { type Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { TASK_QUEUE } from '../../workflows/messages';
import { loopId } from '../commands/run-epochs';
import { scheduleStanding } from '../commands/schedule';
import { networkStatus } from '../queries/network-status';
import type { TemporalAddress } from '../stack/stack';
import { SEARCH_ATTRIBUTES } from '../stack/temporal';
import { listNetworks } from '../store/networks';
import { requestedAtMs } from '../store/server-reports';
import { skewFinding } from './database';
import { examined, type Finding, fail, ok, warn } from './findings';

/** Temporal: reachable, namespace, search attributes, a worker that polls, schedules, and its clock. */

const LIMIT_MS = 5_000;
/** A worker asks again within a minute; one that was silent for longer is gone. */
const POLLER_SILENT_MS = 120_000;

/** @param pool null where the database cannot be used: then schedules and clocks cannot be judged */
export async function temporalFindings(address: TemporalAddress, pool: Pool | null): Promise<readonly Finding[]> {
  const todo = 'start it, or correct TEMPORAL_ADDRESS and its companions.';
  let connection: Connection;
  try {
    connection = await Connection.connect({ ...address.connection, connectTimeout: LIMIT_MS });
  } catch (error) {
    return [await examined('temporal', todo, () => Promise.reject(error))];
  }
  try {
    return await connection.withDeadline(Date.now() + 4 * LIMIT_MS, () => findingsOf(connection, address, pool));
  } finally {
    await connection.close();
  }
}

async function findingsOf(
  connection: Connection,
  address: TemporalAddress,
  pool: Pool | null,
): Promise<readonly Finding[]> {
  const { Client: TemporalClient } = await import('@temporalio/client');
  const client = new TemporalClient({ connection, namespace: address.namespace });
  const findings = [
    await examined('temporal', 'look at its log.', () => serverFinding(connection, address)),
    await examined('namespace', 'create it, or name another with TEMPORAL_NAMESPACE.', () =>
      namespaceFinding(connection, address),
    ),
    await examined('search attributes', 'ask whoever runs the service whether you may list them.', () =>
      attributesFinding(connection, address),
    ),
    await examined('worker', 'start one with `settle worker` or `npm start`.', () =>
      workerFinding(connection, address),
    ),
  ];
  if (pool === null) return findings;
  for (const { network } of await listNetworks(pool)) {
    findings.push(
      await examined(`schedule of ${network}`, 'see `settle schedule status`.', () =>
        scheduleFinding(client, pool, network),
      ),
      await examined(`clock of Temporal (${network})`, 'look at the clocks.', () =>
        clockFinding(client, pool, network),
      ),
    );
  }
  return findings;
}

async function serverFinding({ workflowService }: Connection, address: TemporalAddress): Promise<Finding> {
  const { serverVersion } = await workflowService.getSystemInfo({});
  return ok('temporal', `server ${serverVersion} at ${address.address}, ${address.how}`);
}

async function namespaceFinding({ workflowService }: Connection, { namespace }: TemporalAddress): Promise<Finding> {
  const { config } = await workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  return ok('namespace', `${namespace}, which keeps histories for ${days} d`);
}

async function attributesFinding({ operatorService }: Connection, { namespace }: TemporalAddress): Promise<Finding> {
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const names = Object.keys(SEARCH_ATTRIBUTES);
  const missing = names.filter((name) => !(name in (customAttributes ?? {})));
  if (missing.length === 0) return ok('search attributes', names.join(', '));
  const types = missing.map(
    (name) => `--name ${name} --type ${SEARCH_ATTRIBUTES[name as keyof typeof SEARCH_ATTRIBUTES]}`,
  );
  return fail(
    'search attributes',
    `${missing.join(', ')} missing: no workflow can start`,
    `run \`temporal operator search-attribute create ${types.join(' ')}\`.`,
  );
}

/** TASK_QUEUE_TYPE_WORKFLOW of the service's interface. */
const WORKFLOW_QUEUE = 1;

async function workerFinding({ workflowService }: Connection, { namespace }: TemporalAddress): Promise<Finding> {
  const { pollers } = await workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: TASK_QUEUE },
    taskQueueType: WORKFLOW_QUEUE,
  });
  const now = Date.now();
  const alive = (pollers ?? []).filter(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1000 < POLLER_SILENT_MS,
  );
  const names = [...new Set(alive.map(({ identity }) => identity ?? '?'))];
  if (names.length > 0) return ok('worker', `${names.join(', ')} on the task queue ${TASK_QUEUE}`);
  return warn(
    'worker',
    `nobody polls the task queue ${TASK_QUEUE}`,
    'start one with `settle worker` or `npm start`: until then nothing is settled.',
  );
}

async function scheduleFinding(temporal: Client, pool: Pool, network: string): Promise<Finding> {
  const check = `schedule of ${network}`;
  const { calendar } = await networkStatus(pool, network);
  const ended = calendar.lastEpoch !== null && calendar.current !== null && calendar.current > calendar.lastEpoch;
  const standing = await scheduleStanding({ pool, actor: 'doctor', temporal }, network);
  const apply = `settle schedule apply --network ${network}`;
  if (standing.found === null) {
    if (ended) return ok(check, 'none, and none is needed: the calendar has ended');
    return warn(check, 'none: nothing settles by itself', `create it with \`${apply}\`.`);
  }
  const { paused, note, next, missed } = standing.found;
  if (paused)
    return warn(
      check,
      `paused: ${note ?? 'without a note'}`,
      `let it go on with \`settle schedule resume --network ${network}\`.`,
    );
  if (standing.differs.length > 0) return fail(check, standing.differs.join(', '), `reconcile it with \`${apply}\`.`);
  const words = `next tick ${next[0] ?? 'unknown'}${missed > 0 ? `, ${missed} missed in all` : ''}`;
  return ok(check, words);
}

/** Temporal tells its time by when a run began: that was right after the database wrote the request for it. */
async function clockFinding(temporal: Client, pool: Pool, network: string): Promise<Finding> {
  const check = `clock of Temporal (${network})`;
  const run = await temporal.workflow
    .getHandle(loopId(network))
    .describe()
    .catch(() => null);
  const requestId = run?.memo?.requestId;
  const written = typeof requestId === 'string' ? await requestedAtMs(pool, requestId) : null;
  if (run === null || written === null) return ok(check, 'not seen: it keeps no run to compare with');
  const skew = run.startTime.getTime() - written;
  // Between the row and the start lie the milliseconds of a connection, or a second of a busy server.
  const { outcome, todo } = skewFinding(check, skew >= 0 && skew < 2_000 ? 0 : skew);
  const found = `its last run began ${(skew / 1000).toFixed(1)} s after the database wrote the request`;
  return { check, outcome, found, todo };
}

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CheckOutcome } from '../../src/audit/outcomes';
import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { epochWorkflowId } from '../../src/commands/run-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { replayRuns } from '../../src/worker/replay';
import { replayAside } from '../../src/worker/replay-aside';
import { freshWorld, until, type World } from '../harness/worlds';

let world: World;
let tools: AuditTools;
let network: string;
beforeAll(async () => {
  world = await freshWorld();
  tools = { hashes: await nodeHashes(), witness: null, replay: replayRuns };
  network = await world.makeNetwork({ epochs: 3, providers: 5 });
  await world.withWorker({ chunkProviders: 2 }, () => world.settle(network));
});
afterAll(() => world.close());

const audited = () =>
  auditEpochs({ pool: world.database.open('settle_auditor') }, network, { first: 0, last: 2 }, tools);

test('S5: the histories of all closed epochs are archived, compared with the rows and replayed', async () => {
  const outcomes = await audited();
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  const histories = outcomes.filter(({ check }) => check === 'history');
  expect(histories.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  for (const { detail } of histories) expect(detail).toMatch(/^\d+ activities of run .* as the rows have them$/);
});

test('a history whose pool binds has two rounds of rewards, and both are what the rows have', async () => {
  const scaled = await world.makeNetwork({ epochs: 1, providers: 5, pool: '10' });
  await world.withWorker({ chunkProviders: 2 }, () => world.settle(scaled));
  const pool = world.database.open('settle_auditor');
  const outcomes = await auditEpochs({ pool }, scaled, { first: 0, last: 0 }, tools);
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(outcomes.find(({ check }) => check === 'history')?.outcome).toBe('ok');
});

test('an audit needs the archive alone: Temporal may have forgotten the runs', async () => {
  const { client, namespace } = world.orchestrator;
  for (const epoch of [0, 1, 2]) {
    const workflowId = epochWorkflowId(network, epoch);
    await client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
    await until('the run is gone', () =>
      client.workflow
        .getHandle(workflowId)
        .describe()
        .then(
          () => false,
          (error: Error) => error.name === 'WorkflowNotFoundError',
        ),
    );
  }
  const outcomes = (await audited()).filter(({ check }) => check === 'history' || check === 'replay');
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(6).fill('ok'));
});

test('a replay in a process of its own says the same', async () => {
  const aside = replayAside(['--require', join(__dirname, '..', 'stack', 'typescript-in-node.cjs')]);
  try {
    const replays = (
      await auditEpochs(
        { pool: world.database.open('settle_auditor') },
        network,
        { first: 0, last: 2 },
        { ...tools, replay: aside.replay },
      )
    ).filter(({ check }) => check === 'replay');
    expect(replays.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
    await expect(aside.replay('no code', [{ workflowId: 'w', runId: 'r', json: '{}' }])).rejects.toThrow();
  } finally {
    aside.close();
  }
});

/** Does something to the database as a superuser, audits, and takes it back. */
async function failuresAfter(sql: string): Promise<readonly CheckOutcome[]> {
  const copies = ['history_archive', 'workflow_bundle'];
  for (const table of copies)
    await world.database.superuser.query(`create table kept_${table} as table settle.${table}`);
  try {
    await world.database.tamper(sql);
    return (await audited()).filter(({ outcome }) => outcome === 'failed');
  } finally {
    for (const table of copies) {
      await world.database.tamper(`delete from settle.${table}`);
      await world.database.tamper(`insert into settle.${table} table kept_${table}`);
      await world.database.superuser.query(`drop table kept_${table}`);
    }
  }
}

test('an archived history that was taken away is missed', async () => {
  expect(await failuresAfter('delete from settle.history_archive where epoch = 1')).toMatchObject([
    { check: 'history', epoch: 1, difference: { table: 'history_archive', column: 'run_id', stored: '(no row)' } },
  ]);
});

test('a workflow bundle that was taken away is missed, and one that was changed is named', async () => {
  const removed = await failuresAfter('delete from settle.workflow_bundle');
  expect(removed.map(({ check, difference }) => [check, difference?.table, difference?.stored])).toEqual(
    Array(3).fill(['replay', 'workflow_bundle', '(no row)']),
  );
  const changed = await failuresAfter("update settle.workflow_bundle set code = ''");
  expect(changed.map(({ check, detail }) => [check, detail])).toEqual(
    Array(3).fill(['replay', expect.stringMatching(/^workflow bundle [0-9a-f]{64} cannot be unpacked/)]),
  );
});

test('a history that is made to name no bundle, so that nobody replays it, is found', async () => {
  expect(await failuresAfter('update settle.history_archive set bundle_hash = null where epoch = 1')).toMatchObject([
    { check: 'history', epoch: 1, difference: { table: 'history_archive', column: 'bundle_hash' } },
  ]);
});

/** Rewrites the archived history of epoch 1, its hash and the audit log's row with it. */
async function rewriteHistory(change: (json: string) => string): Promise<void> {
  const found = await world.database.superuser.query<{ run_id: string; history: Buffer }>(
    'select run_id, history from settle.history_archive where network = $1 and epoch = 1',
    [network],
  );
  const { gunzipSync } = await import('node:zlib');
  const row = found.rows[0]!;
  const json = change(gunzipSync(row.history).toString('utf8'));
  const hash = createHash('sha256').update(json).digest('hex');
  await world.database.tamper('update settle.history_archive set history = $2, history_hash = $3 where run_id = $1', [
    row.run_id,
    gzipSync(json),
    hash,
  ]);
}

test('S5: a changed activity result is found, although the history still replays', async () => {
  const replays: (string | null)[] = [];
  tools = {
    ...tools,
    replay: async (code, runs) => {
      const verdicts = await replayRuns(code, runs);
      replays.push(...verdicts.values());
      return verdicts;
    },
  };
  await rewriteHistory((json) => {
    const history = JSON.parse(json) as { events: Record<string, { result?: { payloads: { data: string }[] } }>[] };
    for (const event of history.events) {
      const payload = event.activityTaskCompletedEventAttributes?.result?.payloads[0];
      if (payload === undefined) continue;
      const text = Buffer.from(payload.data, 'base64').toString('utf8');
      if (!text.includes('"unallocated"')) continue;
      const value = JSON.parse(text) as { sum: string };
      value.sum = `${BigInt(value.sum) + 1n}`;
      payload.data = Buffer.from(JSON.stringify(value)).toString('base64');
    }
    return JSON.stringify(history);
  });
  const failed = (await audited()).filter(({ outcome }) => outcome === 'failed');
  expect(replays).toEqual([null, null, null]);
  expect(failed).toHaveLength(1);
  expect(failed[0]).toMatchObject({
    check: 'history',
    epoch: 1,
    difference: { table: 'history_archive', column: 'check.result.sum' },
  });
});

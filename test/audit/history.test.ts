import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { replayRuns } from '../../src/worker/replay';
import { freshWorld, type World } from '../harness/worlds';

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

test('the histories of all closed epochs are archived, compared with the rows and replayed', async () => {
  const outcomes = await audited();
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  const histories = outcomes.filter(({ check }) => check === 'history');
  expect(histories.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  for (const { detail } of histories)
    expect(detail).toMatch(/^\d+ activities of run .*; replayed against bundle [0-9a-f]{64}$/);
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

test('a changed activity result is found, although the history still replays', async () => {
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

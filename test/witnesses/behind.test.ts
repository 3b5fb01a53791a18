import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { CommandError } from '../../src/commands/errors';
import { headsAfter } from '../../src/store/witness-cursors';
import { openWitnesses, type Witnesses } from '../../src/worker/witnesses/index';
import { endAll, settle } from '../cli/settle-process';
import { activitiesOn } from '../harness/in-process';
import { testServers } from '../harness/servers';
import { count, failedEpochs, freshWorld, publishedEpochs, until, type World } from '../harness/worlds';

/** A worker of a home whose database is set back to a copy behind its back, and brought forward again. */

let world: World;
let home: string;
let heads: string;
let witnesses: Witnesses;
let network: string;

beforeEach(async () => {
  world = await freshWorld();
  home = mkdtempSync(join(tmpdir(), 'settle-behind-'));
  mkdirSync(home, { recursive: true });
  heads = join(home, 'heads.log');
  network = await world.makeNetwork({ epochs: 4 });
  witnesses = openWitnesses({ pool: world.database.worker, headsLog: heads, outside: [], log: () => undefined });
});
afterEach(async () => {
  await endAll();
  await witnesses?.close();
  await asOwner([`drop database if exists ${named('older')} with (force)`]);
  await asOwner([`drop database if exists ${named('newer')} with (force)`]);
  await world?.close();
  rmSync(home, { recursive: true });
});

const named = (which: string) => `${world.database.name}_${which}`;
const epochs = async () => (await publishedEpochs(world.database, network)).map(({ epoch }) => epoch);
const lines = () => readFileSync(heads, 'utf8');

/** Between databases nobody may be connected to them: whoever was connects again. */
async function asOwner(statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: testServers().superuserUrl });
  await client.connect();
  try {
    await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname like $1`, [
      `${world.database.name}%`,
    ]);
    for (const statement of statements) {
      await until(
        statement,
        () =>
          client.query(statement).then(
            () => true,
            (error: { code?: string }) => {
              // Somebody is still connected.
              if (error.code === '55006') return false;
              throw error;
            },
          ),
        20,
      );
    }
  } finally {
    await client.end();
  }
  await until('the database answers', () => epochs().then(Boolean, () => false), 20);
}

const copy = () => asOwner([`create database ${named('older')} template ${world.database.name}`]);
const rename = (from: string, to: string) => `alter database ${from} rename to ${to}`;
const setBack = () =>
  asOwner([rename(world.database.name, named('newer')), rename(named('older'), world.database.name)]);
const bringForward = () =>
  asOwner([rename(world.database.name, named('older')), rename(named('newer'), world.database.name)]);

const refusal = () =>
  world.settle(network).then(
    () => Promise.reject(new Error('it was settled')),
    (error: CommandError) => error,
  );

/** Epochs 0 and 1 are in the copy, epoch 2 was published after it. */
async function settledBehindTheCopy(): Promise<void> {
  await world.settle(network, 'olivia', { first: 0, last: 1 });
  await copy();
  await world.settle(network, 'olivia', { first: 2, last: 2 });
  expect(await epochs()).toEqual([0, 1, 2]);
  await setBack();
  expect(await epochs()).toEqual([0, 1]);
}

test('F12, S6: a worker settles nothing on a database that was set back, and goes on by itself when the newer one is there again', async () => {
  await world.withWorker({ witness: witnesses }, async () => {
    await settledBehindTheCopy();
    const before = lines();
    const [, , lost = ''] = before.split('\n');
    // A tick and the next one.
    for (const refused of [await refusal(), await refusal()]) {
      expect(refused).toBeInstanceOf(CommandError);
      expect(refused.id).toBe('DatabaseBehind');
      expect(refused.message).toContain(`line 3 of ${heads} has head ${lost.split(' ')[2]} of epoch 2 revision 1`);
      expect(refused.message).toMatch(/Restore a newer backup.* step 4 of "When the database is behind"/);
    }
    expect(await epochs()).toEqual([0, 1]);
    expect(await count(world.database, 'seal', network)).toBe(2);
    expect(await failedEpochs(world.database, network)).toEqual([]);
    expect(lines()).toBe(before);
    await bringForward();
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 1, epoch: null });
    expect(await epochs()).toEqual([0, 1, 2, 3]);
    expect(lines().startsWith(before)).toBe(true);
    expect(lines().split('\n')).toHaveLength(5);
  });
});

test('F12, S6: a loss that was accepted: the file is moved aside, and the same worker settles and witnesses the chain as it is', async () => {
  await world.withWorker({ witness: witnesses }, async () => {
    await settledBehindTheCopy();
    expect((await refusal()).id).toBe('DatabaseBehind');
    renameSync(heads, join(home, 'heads.log.lost'));
    expect(await world.settle(network)).toEqual({ reason: 'finished', closed: 2, epoch: null });
    const chain = await headsAfter(world.database.viewer, network, 0, 10);
    expect(chain.map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
    expect(lines()).toBe(chain.map(({ epoch, revision, head }) => `${epoch} ${revision} ${head}\n`).join(''));
  });
});

test('F12, S6: a worker that starts on a database that was set back, and one on an empty database, refuse as well', async () => {
  await world.withWorker({ witness: witnesses }, settledBehindTheCopy);
  await witnesses.close();
  const said: string[] = [];
  const log = (line: string) => said.push(line);
  witnesses = openWitnesses({ pool: world.database.worker, headsLog: heads, outside: [], log });
  await until('it is in the log', async () => said.length > 0, 20);
  expect(said).toEqual([expect.stringMatching(/^heads\.log: DatabaseBehind: line 3 of /)]);
  await world.withWorker({ witness: witnesses }, async () => {
    expect((await refusal()).id).toBe('DatabaseBehind');
  });
  const other = await freshWorld();
  try {
    const fresh = await other.makeNetwork({ epochs: 1 });
    const own = openWitnesses({ pool: other.database.worker, headsLog: heads, outside: [], log: () => undefined });
    await other.withWorker({ witness: own }, async () => {
      await expect(other.settle(fresh)).rejects.toThrow(/line 1 of .* the first of 3 such lines/);
    });
    await own.close();
  } finally {
    await other.close();
  }
});

test('F12, S6: status, epoch show and doctor say why nothing is settled, and a command ends with 5', async () => {
  await world.withWorker({ witness: witnesses }, settledBehindTheCopy);
  const env = {
    DATABASE_URL: world.database.url,
    SETTLE_HOME: home,
    TEMPORAL_ADDRESS: world.orchestrator.address,
    TEMPORAL_NAMESPACE: world.orchestrator.namespace,
  };
  const run = (...args: string[]) => settle(args, env).ended;
  const missing = /line 3 of .*heads\.log has head [0-9a-f]{64} of epoch 2 revision 1/;
  const status = await run('status', '--network', network, '-o', 'json');
  expect(status.exit).toBe(0);
  expect(JSON.parse(status.stdout)).toMatchObject({
    database_behind: expect.stringMatching(missing),
    next: { epoch: 2, schedule: 'no worker of this home settles: the database is behind heads.log' },
  });
  // An epoch that nothing is recorded of yet is not shown; this one was sealed when the backup was taken.
  await (await activitiesOn(world.database.worker)).seal({ network, epoch: 2 });
  const shown = await run('epoch', 'show', '2', '--network', network, '-o', 'json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ database_behind: expect.stringMatching(missing) });
  const read = await run('status', '--network', network, '-o', 'table');
  expect(read.stdout).toMatch(/not settled +DatabaseBehind: line 3 of/);
  const doctor = await run('doctor', '-o', 'json');
  expect(doctor.exit).toBe(1);
  const { findings } = JSON.parse(doctor.stdout) as { findings: { check: string; found: string; outcome: string }[] };
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'heads.log', outcome: 'fail', found: expect.stringMatching(missing) }),
  );
  for (const command of [
    'payment create',
    'payment approve 1 --reason compared',
    'payment export 1',
    'epoch fail 2 --reason lost',
  ]) {
    const refused = await run(...command.split(' '), '--network', network);
    expect([command, refused.exit, refused.stderr]).toEqual([command, 5, expect.stringMatching(missing)]);
  }
  await world.withWorker({ witness: witnesses }, async () => {
    const asked = await run('epoch', 'run', '2', '--network', network);
    expect(asked.stderr).toMatch(/DatabaseBehind: line 3 of .* Nothing is settled/);
    expect(asked.exit).toBe(5);
  });
});

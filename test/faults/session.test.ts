import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { joinDatabase, openDatabase } from '../../src/stack/stack';
import { openPool } from '../../src/store/pool';
import { freshDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { settledState } from '../harness/settled-state';
import { until } from '../harness/worlds';
import { ask, leaveNothing, testFolder } from '../stack/processes-of-test';

const root = testFolder();
const env = { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' };
const home = join(root, 'home');
const KNOBS: NetworkKnobs = { epochs: 8, providers: 4 };

afterAll(() => leaveNothing(root));

function startSession(orders: object): ChildProcess {
  // As an option of Node, so that the process which bundles the workflows for it inherits it.
  const typescript = ['--require', join(__dirname, '../stack/typescript-in-node.cjs')];
  const script = join(__dirname, 'session.cjs');
  return spawn(process.execPath, [...typescript, script, JSON.stringify(orders)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Publications so far; 0 while the home is not open yet. */
async function publications(): Promise<number> {
  try {
    const { superuserUrl, url } = await joinDatabase(home, env);
    const database = new URL(superuserUrl);
    database.pathname = new URL(url).pathname;
    const sql = `select count(*)::integer from settle.chain_entry where kind = 'revision'`;
    return (await ask(database.toString(), sql)) as number;
  } catch {
    return 0;
  }
}

async function undisturbed() {
  const database = await freshDatabase();
  try {
    await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS, 'swarm');
    await settleAllInProcess(await activitiesOn(database.worker), 'swarm');
    return await settledState(database, 'swarm');
  } finally {
    await database.close();
  }
}

async function stateOfHome() {
  const stack = await openDatabase({ home, env });
  const url = new URL(stack.postgres.superuserUrl);
  url.pathname = new URL(stack.postgres.url).pathname;
  const options = { url: url.toString(), role: null, applicationName: 'test', onIdleError: () => undefined };
  const superuser = openPool(options);
  try {
    return await settledState({ superuser }, 'swarm');
  } finally {
    await superuser.end();
    await stack.close();
  }
}

test('F1, F17: the whole process is killed -9 among its epochs; the next start takes its servers over and ends the same', async () => {
  await withBundleFolder(bundleTexts(KNOBS), async (bundle) => {
    const policyFile = join(bundle, 'policy.yaml');
    await writeFile(policyFile, JSON.stringify(policyDocument(KNOBS)));
    const orders = { home, network: 'swarm', bundle, policyFile, last: 7 };
    const first = startSession(orders);
    await until('two epochs are published', async () => (await publications()) >= 2, 60);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = startSession(orders);
    const [said] = await once(second.stdout!, 'data');
    await once(second, 'exit');
    expect(JSON.parse(String(said))).toMatchObject({ reason: 'finished', epoch: null });
  });
  const state = await stateOfHome();
  expect(state).toEqual(await undisturbed());
  const claims = state.chain.filter(({ kind }) => kind === 'claims');
  const lines = claims.map(({ epoch, revision, head }) => `${epoch} ${revision} ${head}\n`);
  expect(readFileSync(join(home, 'heads.log'), 'utf8')).toBe(lines.join(''));
}, 150_000);

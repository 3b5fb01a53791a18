import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Activities } from '../../activities';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { networkStatus } from '../../src/queries/network-status';
import { headsAfter, witnessStandings } from '../../src/store/witness-cursors';
import { commandWitness } from '../../src/worker/witnesses/command-witness';
import { Deliveries } from '../../src/worker/witnesses/deliveries';
import { headsLog } from '../../src/worker/witnesses/heads-log';
import { httpsWitness } from '../../src/worker/witnesses/https-witness';
import { openWitnesses } from '../../src/worker/witnesses/index';
import type { HeadWitness } from '../../src/worker/witnesses/telling';
import { plainTools } from '../audit/worlds';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, NO_WITNESS, settleEpochInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';
import { until } from '../harness/worlds';
import { type Receiver, startReceiver } from './receiver';

const SECRET = 'tell-nobody-8f2c';
const folder = mkdtempSync(join(tmpdir(), 'settle-witnesses-'));
const DIES_BEFORE = { ...NO_WITNESS, publish: () => Promise.reject(new Error('the process died here')) };

let database: TestDatabase;
let receiver: Receiver;
let network: string;
let activities: Activities;
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  database = await freshDatabase();
  receiver.received.length = 0;
  receiver.answer = { status: 204 };
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { epochs: 4 });
  activities = await activitiesOn(database.worker);
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
  await database?.close();
});

const settle = (epoch: number, own = activities) => settleEpochInProcess(own, { network, epoch });
const heads = () => headsAfter(database.viewer, network, 0, 100);

const endpoint = (changes: Partial<Parameters<typeof httpsWitness>[0]> = {}) =>
  httpsWitness({ url: receiver.url, secret: SECRET, authority: receiver.authority, timeoutMs: 5_000, ...changes });

/** Deliveries that only this network's settlement wakes, with waits that a test can bear. */
function delivering(...witnesses: HeadWitness[]): Deliveries {
  const log: string[] = [];
  const deliveries = new Deliveries({
    pool: database.worker,
    witnesses,
    log: (line) => log.push(line),
    backoffMs: [10, 20],
    everyMs: 3_600_000,
  });
  opened.push(deliveries);
  return deliveries;
}

const standing = async () => (await witnessStandings(database.viewer, network))[0];
const told = () =>
  receiver.received
    .map(({ body }) => JSON.parse(body) as { network: string; epoch: number; head: string })
    .filter((one) => one.network === network);

describe('an endpoint', () => {
  test('is told every publication once and in order, with a key of its own and the secret, from the first on', async () => {
    await settle(0);
    await settle(1);
    const deliveries = delivering(endpoint());
    await settle(2);
    deliveries.wake(network);
    await until('it was told', async () => (await standing())?.behind === 0, 20);
    const published = await heads();
    expect(told().map(({ epoch, head }) => `${epoch} ${head}`)).toEqual(
      published.map(({ epoch, head }) => `${epoch} ${head}`),
    );
    const { headers, path } = receiver.received.at(-1)!;
    expect(path).toBe('/heads');
    expect(headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'content-type': 'application/json',
      'idempotency-key': `${network}/2/1/${published[2]!.head}`,
    });
    // A second worker finds nothing left to tell.
    const count = receiver.received.length;
    const other = delivering(endpoint());
    other.wake(network);
    await other.close();
    expect(receiver.received).toHaveLength(count);
  });

  test('that is down holds nothing up, is said by name and reason, and is told the rest when it is back', async () => {
    receiver.answer = { status: 503 };
    const witness = endpoint();
    const deliveries = delivering(witness);
    for (const epoch of [0, 1]) {
      expect(await settle(epoch)).toMatchObject({ kind: 'published' });
      deliveries.wake(network);
    }
    await until('it was given up for now', async () => (await standing())?.failingSince != null, 20);
    const { witnesses } = await networkStatus(database.viewer, network);
    expect(witnesses).toMatchObject([
      { witness: witness.name, behind: 2, epoch: null, lastError: 'it answered 503 Service Unavailable' },
    ]);
    // Bounded: three attempts a round, and no more rounds than there were reasons for.
    expect(receiver.received.length).toBeLessThanOrEqual(12);
    receiver.answer = { status: 200 };
    deliveries.wake(network);
    await until('it was told', async () => (await standing())?.behind === 0, 20);
    expect(await standing()).toMatchObject({ failures: 0, lastError: null, epoch: 1 });
    expect(
      told()
        .slice(-2)
        .map(({ epoch }) => epoch),
    ).toEqual([0, 1]);
  });

  test.each([
    ['redirects', { status: 307, headers: { location: '/elsewhere' } }, /307.*redirects are not followed/],
    ['has another head', { status: 409 }, /409.*another head for this revision/],
    ['refuses the secret', { status: 401 }, /401/],
  ] as const)('that %s is not believed, and not followed', async (_, answer, reason) => {
    receiver.answer = answer;
    const deliveries = delivering(endpoint());
    await settle(0);
    deliveries.wake(network);
    await until('it failed', async () => ((await standing())?.failures ?? 0) >= 1, 20);
    const { lastError } = (await standing())!;
    expect(lastError).toMatch(reason);
    expect(lastError).not.toContain(SECRET);
    expect(receiver.received.every(({ path }) => path === '/heads')).toBe(true);
  });

  test('that never answers is given up in time; closing waits for no backoff', async () => {
    receiver.answer = null;
    const deliveries = delivering(endpoint({ timeoutMs: 150 }));
    await settle(0);
    deliveries.wake(network);
    await until('it failed', async () => ((await standing())?.failures ?? 0) >= 1, 20);
    expect((await standing())!.lastError).toMatch(/no answer within 150 ms/);
    const asked = receiver.received.length;
    const slow = delivering(endpoint({ timeoutMs: 600_000 }));
    slow.wake(network);
    await until('it was asked again', async () => receiver.received.length > asked, 20);
    await slow.close(100);
  });

  test('whose certificate nobody vouches for is told nothing', async () => {
    const deliveries = delivering(endpoint({ authority: null }));
    await settle(0);
    deliveries.wake(network);
    await until('it failed', async () => ((await standing())?.failures ?? 0) >= 1, 20);
    expect((await standing())!.lastError).toMatch(/self-signed certificate/);
    expect(receiver.received).toEqual([]);
  });
});

describe('a command', () => {
  const script = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const keeping = `const fs = require('node:fs');
    fs.appendFileSync(process.argv[2], fs.readFileSync(0, 'utf8'));
    fs.writeFileSync(process.argv[2] + '.env', JSON.stringify({ args: process.argv.slice(3), env: Object.keys(process.env) }));`;

  test('gets each head as a line; no shell sees its arguments, and it sees nothing of our secrets', async () => {
    const file = join(folder, 'kept.jsonl');
    process.env.SETTLE_WITNESS_SECRET = SECRET;
    process.env.PGPASSWORD = 'also secret';
    try {
      const argv = [process.execPath, script('keep.cjs', keeping), file, '$(touch pwned); "x"'] as const;
      const deliveries = delivering(commandWitness({ argv: [...argv], timeoutMs: 10_000 }));
      await settle(0);
      await settle(1);
      deliveries.wake(network);
      await until('it was told', async () => (await standing())?.behind === 0, 30);
    } finally {
      delete process.env.SETTLE_WITNESS_SECRET;
      delete process.env.PGPASSWORD;
    }
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { head: string; network: string });
    expect(lines.filter((line) => line.network === network).map(({ head }) => head)).toEqual(
      (await heads()).map(({ head }) => head),
    );
    const { args, env } = JSON.parse(readFileSync(`${file}.env`, 'utf8')) as { args: string[]; env: string[] };
    expect(args).toEqual(['$(touch pwned); "x"']);
    expect(env.filter((name) => /SECRET|PASSWORD|DATABASE|TEMPORAL/.test(name))).toEqual([]);
  });

  test.each([
    ['fails', `process.stderr.write('disk full'); process.exit(7)`, /exit code 7: disk full/],
    ['hangs', 'setTimeout(() => undefined, 60_000)', /ended by SIGKILL/],
  ])('that %s was not told', async (name, text, reason) => {
    const argv = [process.execPath, script(`${name}.cjs`, text)] as [string, string];
    const deliveries = delivering(commandWitness({ argv, timeoutMs: name === 'hangs' ? 400 : 20_000 }));
    await settle(0);
    deliveries.wake(network);
    await until('it failed', async () => ((await standing())?.failures ?? 0) >= 1, 60);
    expect((await standing())!.lastError).toMatch(reason);
  });

  test('that is not there is said so', async () => {
    const deliveries = delivering(commandWitness({ argv: [join(folder, 'nowhere')], timeoutMs: 400 }));
    await settle(0);
    deliveries.wake(network);
    await until('it failed', async () => ((await standing())?.failures ?? 0) >= 1, 30);
    expect((await standing())!.lastError).toMatch(/could not be started.*ENOENT/);
  });
});

describe('heads.log', () => {
  const lines = async () =>
    (await heads()).map(({ epoch, revision, head }) => `${epoch} ${revision} ${head}\n`).join('');

  test('a run that died before its line, and was ended, is mended by the next publication, in order', async () => {
    const path = join(folder, 'died.log');
    const dying = await activitiesOn(database.worker, { witness: DIES_BEFORE });
    await expect(settle(0, dying)).rejects.toThrow('the process died here');
    expect((await heads()).map(({ epoch }) => epoch)).toEqual([0]);
    const log = headsLog(path, database.worker);
    await settle(1, await activitiesOn(database.worker, { witness: log }));
    expect(readFileSync(path, 'utf8')).toBe(await lines());
  });

  test('and by the next start of a worker, also behind a line that was cut short', async () => {
    const path = join(folder, 'started.log');
    await settle(0, await activitiesOn(database.worker, { witness: headsLog(path, database.worker) }));
    const first = readFileSync(path, 'utf8');
    appendFileSync(path, '1 1 abc');
    const dying = await activitiesOn(database.worker, { witness: DIES_BEFORE });
    await expect(settle(1, dying)).rejects.toThrow('the process died here');
    const witnesses = openWitnesses({ pool: database.worker, headsLog: path, outside: [], log: () => undefined });
    await witnesses.close();
    const [own, cut, ...rest] = readFileSync(path, 'utf8').split('\n');
    expect(`${own}\n`).toBe(first);
    expect(cut).toBe('1 1 abc');
    expect(rest).toContain((await lines()).split('\n')[1]);
    expect(new Set(rest).size).toBe(rest.length);
  });

  test('two workers that share it write each line once', async () => {
    const path = join(folder, 'shared.log');
    const [one, other] = [headsLog(path, database.worker), headsLog(path, database.worker)];
    await settle(0, await activitiesOn(database.worker, { witness: one }));
    await settle(1, await activitiesOn(database.worker, { witness: other }));
    await one.catchUp(network);
    await other.catchUp(network);
    expect(readFileSync(path, 'utf8')).toBe(await lines());
  });
});

describe('an audit with what a witness kept', () => {
  const witnessCheck = async (text: string) => {
    const outcomes = await auditEpochs(
      { pool: database.open('settle_auditor', 2) },
      network,
      { first: 0, last: 0 },
      await plainTools(text),
    );
    return outcomes.find(({ check }) => check === 'witness');
  };

  test('finds a database that was rolled back, and one that was rewritten, from lines of JSON', async () => {
    for (const epoch of [0, 1]) await settle(epoch);
    const deliveries = delivering(endpoint());
    deliveries.wake(network);
    await until('it was told', async () => (await standing())?.behind === 0, 20);
    const kept = told()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('');
    expect(await witnessCheck(kept)).toMatchObject({ outcome: 'ok', detail: '2 witnessed heads are in the chain' });
    expect(await witnessCheck('not a head\n')).toMatchObject({ outcome: 'skipped' });
    const elsewhere = kept.replaceAll(network, 'another');
    expect(await witnessCheck(elsewhere)).toMatchObject({ outcome: 'failed' });
    await database.tamper('delete from settle.chain_entry where network = $1 and epoch = 1', [network]);
    expect(await witnessCheck(kept)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/line 2: head .* of epoch 1 revision 1 of .* rolled back or rewritten/),
    });
  });
});

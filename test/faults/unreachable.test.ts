import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { endAll, settle } from '../cli/settle-process';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { openOrchestrator } from '../harness/orchestrators';
import { testServers } from '../harness/servers';
import { freshWorld, publishedEpochs, until, type World, worldOf } from '../harness/worlds';
import { type Person, person } from '../rights/logins';
import { openLink } from './link';

let world: World;
let operator: Person;
let folder: string;
let network: string;
/** Takes connections and says nothing, as a firewall does that drops what it does not like. */
let mute: Server;

beforeAll(async () => {
  world = await freshWorld();
  folder = await mkdtemp(join(tmpdir(), 'settle-test-unreachable-'));
  network = await world.makeNetwork({ epochs: 2 });
  await settleAllInProcess(await activitiesOn(world.database.worker), network);
  operator = await person(world.database, ['settle_operator']);
  mute = createServer(() => undefined);
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await endAll();
  mute.close();
  await operator.leave();
  await rm(folder, { recursive: true });
  await world.close();
});

async function run(address: string, ...args: string[]) {
  const begun = Date.now();
  const env = { DATABASE_URL: operator.url, SETTLE_HOME: join(folder, 'home'), TEMPORAL_ADDRESS: address };
  const ended = await settle([...args, '--network', network], env).ended;
  return { ...ended, seconds: (Date.now() - begun) / 1000 };
}

describe('F14: while Temporal cannot be reached', () => {
  test.each([
    ['nobody listens', () => '127.0.0.1:9'],
    ['nobody answers', () => `127.0.0.1:${(mute.address() as { port: number }).port}`],
  ])(
    'because %s, a command that needs it ends with 1 and says where it looked',
    async (_why, address) => {
      const { exit, stderr, seconds } = await run(address(), 'epoch', 'run', '0..1');
      expect(stderr).toContain(address());
      expect(stderr).toMatch(/Temporal/);
      expect(exit).toBe(1);
      // The process itself takes a second or two to start on a machine that does other things as well.
      expect(seconds).toBeLessThan(12);
    },
    60_000,
  );

  test('what is in the database is read as ever', async () => {
    const { exit, stdout } = await run('127.0.0.1:9', 'epoch', 'list');
    expect(exit).toBe(0);
    expect(JSON.parse(stdout)).toHaveLength(2);
  }, 60_000);

  test('a worker tries on, and its epochs are settled once the way is free again', async () => {
    const { temporalAddress } = testServers();
    const [host, port] = temporalAddress.split(':');
    expect(host).toMatch(/127\.0\.0\.1|localhost/);
    const gone = await openLink(Number(port));
    const far = worldOf(world.database, await openOrchestrator(`127.0.0.1:${gone.port}`, world.orchestrator.namespace));
    const other = await world.makeNetwork({ epochs: 4 });
    try {
      await far.withWorker({}, async () => {
        const loop = await startLoop(world.context, { network: other, range: null, askedBy: 'olivia' });
        const published = async () => (await publishedEpochs(world.database, other)).length;
        await until('an epoch is published', async () => (await published()) > 0);
        await gone.cut(3_000);
        expect(await loopAnswer(loop)).toEqual({ reason: 'finished', closed: 4, epoch: null });
      });
    } finally {
      await far.orchestrator.close();
      await gone.close();
    }
    expect((await publishedEpochs(world.database, other)).map(({ epoch }) => epoch)).toEqual([0, 1, 2, 3]);
  }, 180_000);
});

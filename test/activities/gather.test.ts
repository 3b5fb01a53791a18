import { importBundle } from '../../src/commands/import-bundle';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn } from '../harness/in-process';
import { bundleTexts, makeNetwork, makeNetworkOf, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });
const PAST: NetworkKnobs = { epochs: 1 };

/** Epoch 0 has ended, and its deadline is so many seconds ahead. */
function ending(secondsLeft: number): NetworkKnobs {
  const lengthSeconds = 10;
  const now = Math.floor(Date.now() / 1000);
  const genesis = new Date((now - lengthSeconds - 5) * 1000).toISOString().replace(/\.\d+Z/, 'Z');
  return { epochs: 1, genesis, lengthSeconds, inputDeadlineSeconds: secondsLeft + 5 };
}

async function gathered(knobs: NetworkKnobs) {
  const network = await makeNetwork(operator(), knobs);
  return (await activitiesOn(database.worker)).gather({ network, epoch: 0 }, 'request');
}

test('complete inputs are ready, before the deadline and after', async () => {
  const inputs = { policyHash: expect.stringMatching(/^[0-9a-f]{64}$/), loads: 1 };
  expect(await gathered(PAST)).toEqual({ kind: 'ready', missing: [], inputs });
  expect(await gathered(ending(3600))).toEqual({ kind: 'ready', missing: [], inputs });
});

test.each([
  ['capacity', ['capacity']],
  ['token', ['token-price']],
  ['uptimes', ['uptimes']],
] as const)('before the deadline, missing %s is waited for, 30 seconds at a time', async (what, missing) => {
  expect(await gathered({ ...ending(3600), missing: { 0: what } })).toEqual({
    kind: 'waiting',
    missing,
    recheckSeconds: 30,
  });
});

test('the last look comes at the deadline, not 30 seconds later', async () => {
  const found = await gathered({ ...ending(12), missing: { 0: 'token' } });
  expect(found.kind).toBe('waiting');
  const { recheckSeconds } = found as { recheckSeconds: number };
  expect(recheckSeconds).toBeGreaterThan(0);
  expect(recheckSeconds).toBeLessThanOrEqual(12);
});

test.each([
  ['capacity', ['capacity']],
  ['token', ['token-price']],
] as const)('past the deadline, missing %s makes the epoch incomplete', async (what, missing) => {
  expect(await gathered({ ...PAST, missing: { 0: what } })).toEqual({ kind: 'incomplete', missing });
});

test('F39: past the deadline, missing uptimes alone let the epoch go on: the breaker will hold it', async () => {
  expect(await gathered({ ...PAST, missing: { 0: 'uptimes' } })).toMatchObject({
    kind: 'ready',
    missing: ['uptimes'],
  });
});

test('F39: an epoch of which nothing arrived lacks capacity and a token price', async () => {
  const texts = bundleTexts({ epochs: 2 });
  const onlySecond = Object.fromEntries(
    Object.entries(texts).map(([table, text]) => [
      table,
      table === 'providers'
        ? text
        : text
            .split('\n')
            .filter((line) => !line.startsWith('0,'))
            .join('\n'),
    ]),
  ) as typeof texts;
  const network = await makeNetworkOf(operator(), onlySecond, JSON.stringify(policyDocument()), {
    first: 0,
    last: 1,
    holds: 'wait',
  });
  const found = await (await activitiesOn(database.worker)).gather({ network, epoch: 0 }, 'request');
  expect(found).toEqual({ kind: 'incomplete', missing: ['capacity', 'token-price'] });
});

test.each([
  [1, { kind: 'ready', missing: [] }],
  [2, { kind: 'waiting', missing: ['uptimes'], recheckSeconds: 30 }],
] as const)('%i of ten providers unmeasured, where a tenth may be', async (unmeasured, expected) => {
  const knobs = { ...ending(3600), providers: 10 };
  const texts = bundleTexts(knobs);
  const performance = texts.performance
    .split('\n')
    .filter((line) => !Array.from({ length: unmeasured }, (_, p) => `0,p${p},`).some((row) => line.startsWith(row)))
    .join('\n');
  const calendar = { first: 0, last: 0, holds: 'wait' } as const;
  const network = await makeNetworkOf(
    operator(),
    { ...texts, performance },
    JSON.stringify(policyDocument(knobs)),
    calendar,
  );
  const found = await (await activitiesOn(database.worker)).gather({ network, epoch: 0 }, 'request');
  expect(found).toMatchObject(expected);
});

test('rows that came after the inputs were found complete are judged before the seal', async () => {
  const knobs = ending(3600);
  const network = await makeNetwork(operator(), knobs);
  const ref = { network, epoch: 0 };
  const activities = await activitiesOn(database.worker);
  const found = await activities.gather(ref, 'request');
  if (found.kind !== 'ready') throw new Error(found.kind);
  const names = Array.from({ length: 20 }, (_, index) => `q${index}`);
  const unmeasured = {
    ...bundleTexts({ ...knobs, epochs: 0, providers: 0 }),
    providers: `provider,joined_epoch,status,payee\n${names.map((name) => `${name},0,active,\n`).join('')}`,
    capacity: `epoch,provider,market,offered,served\n${names.map((name) => `0,${name},gpu,10,5\n`).join('')}`,
  };
  await withBundleFolder(unmeasured, (folder) =>
    importBundle(operator(), folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );
  await expect(activities.seal(ref, found.inputs)).rejects.toMatchObject({
    type: 'InputsChanged',
    message: expect.stringContaining('missing are uptimes'),
  });
  expect(await activities.gather(ref, 'request')).toMatchObject({ kind: 'waiting', missing: ['uptimes'] });
});

test('a sealed epoch is ready, whatever arrives or is missing', async () => {
  const network = await makeNetwork(operator(), { ...PAST, missing: { 0: 'uptimes' } });
  const activities = await activitiesOn(database.worker);
  await activities.seal({ network, epoch: 0 });
  expect(await activities.gather({ network, epoch: 0 }, 'request')).toEqual({
    kind: 'ready',
    missing: [],
    inputs: null,
  });
});

test('F23: an epoch is due only once it has ended, by the clock of the database', async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z/, 'Z');
  const network = await makeNetwork(operator(), { epochs: 2, genesis: soon });
  const due = await (await activitiesOn(database.worker)).nextDue({ network, upTo: null, stopWhenSilent: true });
  expect(due).toEqual({ kind: 'not-yet', epoch: 0, atSeconds: Date.parse(soon) / 1000 + 3600 });
});

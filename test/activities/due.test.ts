import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });

async function ask(network: string, knobs: { readonly upTo?: number; readonly stopWhenSilent?: boolean } = {}) {
  return (await activitiesOn(database.worker)).nextDue({ network, upTo: null, stopWhenSilent: true, ...knobs });
}

/** Closes the epochs of a range for lack of inputs. */
async function silent(network: string, first: number, last: number): Promise<void> {
  const activities = await activitiesOn(database.worker);
  for (let epoch = first; epoch <= last; epoch += 1) {
    await activities.closeAsFailed({ network, epoch }, 'incomplete-inputs', {}, 'request');
  }
}

test('the first epoch of the calendar comes first, then the one after the last closed', async () => {
  const network = await makeNetwork(operator(), { epochs: 3 });
  expect(await ask(network)).toEqual({ kind: 'due', epoch: 0, held: false });
  await settleEpochInProcess(await activitiesOn(database.worker), { network, epoch: 0 });
  expect(await ask(network)).toEqual({ kind: 'due', epoch: 1, held: false });
  expect(await ask(network, { upTo: 0 })).toEqual({ kind: 'finished', lastClosed: 0 });
});

test('F39: 24 epochs closed in a row for lack of inputs are an incident; a person who asks for a range goes on', async () => {
  const network = await makeNetwork(operator(), { epochs: 30 });
  await silent(network, 0, 22);
  expect(await ask(network)).toMatchObject({ kind: 'due', epoch: 23 });
  await silent(network, 23, 23);
  expect(await ask(network)).toEqual({ kind: 'stalled', epoch: 24, closedInARow: 24 });
  expect(await ask(network, { stopWhenSilent: false })).toMatchObject({ kind: 'due', epoch: 24 });
  // One that is published ends the silence.
  await settleEpochInProcess(await activitiesOn(database.worker), { network, epoch: 24 });
  expect(await ask(network)).toMatchObject({ kind: 'due', epoch: 25 });
});

test('an epoch on hold is due, and said to be held until somebody decided', async () => {
  const network = await makeNetwork(operator(), { held: [1] });
  const activities = await activitiesOn(database.worker);
  await settleEpochInProcess(activities, { network, epoch: 0 });
  await walkToCheck(activities, { network, epoch: 1 });
  expect(await ask(network)).toEqual({ kind: 'due', epoch: 1, held: true });
  await database.open('settle_approver', 1).query(
    `insert into settle.hold_decision select network, epoch, revision, computation, 'approved', content_digest, 'paul', 'x'
     from settle.hold where network = $1`,
    [network],
  );
  expect(await ask(network)).toEqual({ kind: 'due', epoch: 1, held: false });
});

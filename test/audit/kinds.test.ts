import type { CheckOutcome } from '../../src/audit/outcomes';
import { auditBundle, verifyBundleBytes } from '../../src/commands/audit-bundle';
import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { replayRuns } from '../../src/worker/replay';
import type { World } from '../harness/worlds';
import { plainTools, variedWorld } from './worlds';

let world: World;
let network: string;
let tools: AuditTools;
beforeAll(async () => {
  ({ world, network } = await variedWorld());
  tools = { ...(await plainTools()), replay: replayRuns };
});
afterAll(() => world.close());

const audited = (first: number, last = first) =>
  auditEpochs({ pool: world.database.open('settle_auditor', 2) }, network, { first, last }, tools);

const said = (outcomes: readonly CheckOutcome[], check: string) =>
  outcomes.filter((one) => one.check === check).map(({ epoch, revision, outcome }) => [epoch, revision, outcome]);

test('published, failed, settled again, held, disputed and built on superseded revisions: all of it holds', async () => {
  const outcomes = await audited(0, 7);
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(said(outcomes, 'second')).toEqual([
    [0, 1, 'ok'],
    [1, 1, 'ok'],
    [2, 1, 'ok'],
    [2, 2, 'ok'],
    [3, 1, 'ok'],
    [4, 1, 'ok'],
    [4, 2, 'ok'],
    [6, 1, 'ok'],
    [7, 1, 'ok'],
  ]);
  // The runs of the workflows; the two revisions were computed by the activities alone.
  expect(said(outcomes, 'replay').filter(([, , outcome]) => outcome === 'ok')).toHaveLength(7);
  expect(outcomes.find(({ epoch, check }) => epoch === 3 && check === 'breakers')?.detail).toMatch(
    /approved by anton$/,
  );
});

test('an epoch that failed is audited by the decision that closed it, also where nothing else is in the range', async () => {
  const outcomes = await audited(5);
  expect(outcomes.filter(({ epoch }) => epoch === 5)).toMatchObject([
    { check: 'audit-log', revision: null, outcome: 'ok', detail: 'failed(incomplete-inputs)' },
  ]);
});

test('each epoch is audited alone as in a range, and verified from its bundle', async () => {
  for (const epoch of [0, 1, 2, 3, 4, 6, 7]) {
    expect((await audited(epoch)).filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    const bytes = await auditBundle({ pool: world.database.open('settle_auditor', 1) }, network, epoch);
    const { outcomes } = await verifyBundleBytes(bytes, tools.hashes, null);
    expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  }
});

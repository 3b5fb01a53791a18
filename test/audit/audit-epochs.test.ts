import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;
let tools: AuditTools;
beforeAll(async () => {
  database = await freshDatabase();
  tools = { hashes: await nodeHashes(), witness: null, replay: async () => new Map() };
});
afterAll(() => database.close());

test('every check of every epoch of an untouched network holds', async () => {
  const context = { pool: database.operator, actor: 'operator' };
  const network = await makeNetwork(context, { epochs: 6, providers: 7, held: [4], holds: 'release' });
  await settleAllInProcess(await activitiesOn(database.worker, { chunkProviders: 3 }), network);
  const outcomes = await auditEpochs({ pool: database.open('settle_auditor') }, network, { first: 0, last: 5 }, tools);
  expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  expect(outcomes.filter(({ check }) => check === 'second')).toHaveLength(6);
});

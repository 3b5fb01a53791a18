import { attachArchive } from '../../src/commands/attach-archive';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { checkLedger } from '../../src/commands/check-ledger';
import { plainTools } from '../audit/worlds';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { settledState } from '../harness/settled-state';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

const NETWORK = 'twins';
let database: TestDatabase;
let twin: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  twin = await freshDatabase();
});
afterAll(async () => {
  await database.close();
  await twin.close();
});

test('settling goes on after archiving as if nothing were gone; the rows come back as they left', async () => {
  for (const one of [database, twin]) {
    await networkAcross(one, {}, NETWORK);
    await settleEpochs(one, NETWORK, FIRST, FIRST + 3);
  }
  await withFolder(async (out) => {
    const report = await archived(database, out);
    expect(report).toMatchObject({ state: 'archived', networks: [NETWORK] });
    for (const one of [database, twin]) await settleEpochs(one, NETWORK, FIRST + 4, FIRST + 5);

    const [left, whole] = [await settledState(database, NETWORK), await settledState(twin, NETWORK)];
    expect(left.chain).toEqual(whole.chain);
    expect(left.claims).toEqual(whole.claims);
    expect(left.payouts).toEqual(whole.payouts.filter(({ epoch }) => epoch > 255));

    const context = { pool: database.operator, actor: 'olivia' };
    expect((await checkLedger(context, NETWORK)).filter(({ holds }) => !holds)).toEqual([]);
    const tools = await plainTools();
    const auditor = database.open('settle_auditor');
    const outcomes = await auditEpochs({ pool: auditor }, NETWORK, { first: 256, last: 259 }, tools);
    expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);

    await attachArchive(context, { folder: report.folder!, reason: 'a dispute', requestId: null });
    expect(await settledState(database, NETWORK)).toEqual(whole);
    const again = await auditEpochs({ pool: auditor }, NETWORK, { first: 254, last: 259 }, tools);
    expect(again.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect((await checkLedger(context, NETWORK)).filter(({ holds }) => !holds)).toEqual([]);
  });
});

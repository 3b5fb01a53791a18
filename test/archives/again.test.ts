import { attachArchive } from '../../src/commands/attach-archive';
import { auditEpochs } from '../../src/commands/audit-epochs';
import { checkLedger } from '../../src/commands/check-ledger';
import { listArchives } from '../../src/store/archives';
import { plainTools } from '../audit/worlds';
import { corrected, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn } from '../harness/in-process';
import { settledState } from '../harness/settled-state';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

const NETWORK = 'again';
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

const context = () => ({ pool: database.operator, actor: 'olivia' });
const disputed = rows('capacity', `${FIRST},p1,gpu,11,2`);

test('an archived epoch is disputed once its rows are back, and the range archived again', async () => {
  for (const one of [database, twin]) {
    await networkAcross(one, {}, NETWORK);
    await settleEpochs(one, NETWORK, FIRST, FIRST + 3);
  }
  await withFolder(async (out) => {
    const { folder } = await archived(database, out);
    await attachArchive(context(), { folder: folder!, reason: 'a dispute', requestId: null });
    for (const one of [database, twin]) {
      await corrected(one, await activitiesOn(one.worker), NETWORK, FIRST, disputed);
    }
    const [own, whole] = [await settledState(database, NETWORK), await settledState(twin, NETWORK)];
    expect([own.chain, own.claims]).toEqual([whole.chain, whole.claims]);

    await withFolder(async (other) => {
      await archived(database, other);
      for (const one of [database, twin]) await settleEpochs(one, NETWORK, FIRST + 4, FIRST + 5);
      expect((await settledState(database, NETWORK)).chain).toEqual((await settledState(twin, NETWORK)).chain);
      const archives = await listArchives(database.viewer);
      expect(archives.map(({ archiveNo, returnedAt }) => [archiveNo, returnedAt === null])).toEqual([
        [1, false],
        [2, true],
      ]);
      expect(archives[0]!.manifestHash).not.toBe(archives[1]!.manifestHash);
      expect((await checkLedger(context(), NETWORK)).filter(({ holds }) => !holds)).toEqual([]);

      const auditor = { pool: database.open('settle_auditor', 2) };
      const tools = await plainTools();
      // Published after the correction of the archived epoch: derived from the claims that were kept.
      const after = await auditEpochs(auditor, NETWORK, { first: FIRST + 4, last: FIRST + 5 }, tools);
      expect(after.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
      // Published before it: what payees had then rests on rows that are outside.
      await expect(auditEpochs(auditor, NETWORK, { first: FIRST + 3, last: FIRST + 3 }, tools)).rejects.toMatchObject({
        id: 'EpochArchived',
        message: expect.stringContaining(archives[1]!.manifestHash),
      });
      // The first archive is not the one that left last.
      const stale = attachArchive(context(), { folder: folder!, reason: 'a test', requestId: null });
      await expect(stale).rejects.toMatchObject({ id: 'archive-altered' });
    });
  });
});

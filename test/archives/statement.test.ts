import { standingDiscrepancy } from '../../src/explain/payout-standing';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { providerStatement } from '../../src/queries/provider-statement';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

test('a statement goes on from the totals of archived epochs, and asks for their rows where it needs them', async () => {
  const network = await networkAcross(database);
  await settleEpochs(database, network, FIRST, FIRST + 5);
  const statement = (first: number | null) => providerStatement(database.viewer, network, 'p0', { first, last: null });
  const [whole, later] = [await statement(null), await statement(256)];
  const before = await explainProviderPayout(database.viewer, network, 257, 'p0');
  await withFolder(async (out) => {
    expect(await archived(database, out)).toMatchObject({ state: 'archived' });
    expect(await statement(256)).toEqual(later);
    // Nobody asked for the archived ones by number: they are in the opening balance, and it is said.
    const rest = await statement(null);
    expect([rest.first, rest.archivedUpTo]).toEqual([256, 255]);
    expect(rest.statement).toEqual(later.statement);
    expect(rest.statement.closing).toEqual(whole.statement.closing);
    await expect(statement(254)).rejects.toMatchObject({ id: 'EpochArchived' });
    const after = await explainProviderPayout(database.viewer, network, 257, 'p0');
    expect(after.account).toEqual(before.account);
    expect(standingDiscrepancy(after)).toBeNull();
    await expect(explainProviderPayout(database.viewer, network, 254, 'p0')).rejects.toMatchObject({
      id: 'EpochArchived',
    });
  });
});

import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { publishedClaims } from '../../src/commands/claims';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { settledNetwork } from './worlds';

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

test('the claims of any epoch, kept or derived again, load in the published library and give the published root', async () => {
  const network = await settledNetwork(database);
  const context = { pool: database.open('settle_auditor') };
  const hashes = await nodeHashes();
  for (let epoch = 0; epoch < 6; epoch += 1) {
    const { tree, content } = await publishedClaims(context, network, epoch, hashes);
    const loaded = StandardMerkleTree.load<[string, string]>(tree.dump() as never);
    loaded.validate();
    expect(loaded.root).toBe(content.root);
    expect(tree.payees).toBe(content.payees);
  }
  // Only the newest entries keep their rows; the others were derived.
  const kept = await database.superuser.query('select distinct position from settle.claim where network = $1', [
    network,
  ]);
  expect(kept.rowCount).toBeLessThan(6);
});

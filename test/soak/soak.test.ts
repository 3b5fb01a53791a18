import { freshDatabase, type TestDatabase } from '../harness/databases';
import { soakDatabase } from './database-soak';
import { soakPure } from './pure-soak';

// A sip of what `npm run soak` does at length.
let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

test('random epochs with disputes and payments: every balance is published amounts and adjustments less payments', async () => {
  const figures = await soakDatabase(database, 40, 8);
  expect(figures.epochs).toBe(40);
  // A soak in which nothing happens is dry.
  for (const happened of ['revisions', 'batches', 'confirmations', 'confirmationsLate', 'balancesCompared'] as const) {
    expect(figures[happened]).toBeGreaterThan(0);
  }
}, 180_000);

test('random epochs through the pure core: nothing is lost and nothing is made', () => {
  const figures = soakPure(200, 11);
  expect(figures.paid + figures.unallocated).toBe(figures.pool);
  expect(figures.scaled).toBeGreaterThan(0);
});

import { auditEpochs } from '../../src/commands/audit-epochs';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { plainTools, settledNetwork } from './worlds';

// More than can be tried one by one: the changed row is among the first, or it is not named.
const PROVIDERS = 6_000;

let database: TestDatabase;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await settledNetwork(database, { epochs: 1, providers: PROVIDERS, held: [] });
}, 120_000);
afterAll(() => database.close());

const CHANGES = {
  payee: ['provider_version', 'payee', `'0x${'c'.repeat(40)}'`, ''],
  served: ['capacity', 'served', 'served - 1', `and market = 'gpu'`],
  uptime: ['performance', 'uptime', 'uptime - 0.01', ''],
} as const;

test.each(Object.entries(CHANGES))(
  'S4: of one changed cell among thousands of providers the %s is named',
  async (_, change) => {
    const [table, column, value, which] = change;
    // In the middle of those that were paid: what is tried in the order of the rows does not get there.
    const { rows } = await database.superuser.query<{ provider: string }>(
      `select provider from settle.payout join settle.performance using (network, epoch, provider)
     where network = $1 and amount > 0 and uptime > 0.02 order by provider collate "C" desc offset 1000 limit 1`,
      [network],
    );
    const { provider } = rows[0]!;
    const where = `network = '${network}' and provider = '${provider}' ${which}`;
    const { rows: before } = await database.superuser.query<{ value: string }>(
      `select ${column}::text as value from settle.${table} where ${where}`,
    );
    await database.tamper(`update settle.${table} set ${column} = ${value} where ${where}`);
    try {
      const context = { pool: database.open('settle_auditor') };
      const outcomes = await auditEpochs(context, network, { first: 0, last: 0 }, await plainTools());
      const found = outcomes.find(({ check }) => check === 'rows');
      expect(found).toMatchObject({ outcome: 'failed', difference: { table, column, recomputed: before[0]!.value } });
      expect(found?.difference?.row).toContain(provider);
    } finally {
      await database.tamper(`update settle.${table} set ${column} = '${before[0]!.value}' where ${where}`);
    }
  },
);

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import type { Dossier } from '../../src/audit/dossier';
import { DossierLoader } from '../../src/audit/load-dossier';
import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { unchangingView } from '../../src/store/pool';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { COVERED } from './coverage';
import { type Attempt, attempt, otherText, randomOf } from './tampering';
import { plainTools, settledNetwork } from './worlds';

const seed = Number(process.env.TAMPER_SEED ?? 1);
const count = Number(process.env.TAMPER_COUNT ?? 200);
/** An attempt on the database costs an audit of it, so there are fewer of them. */
const DATABASE_SHARE = 20;

let database: TestDatabase;
let tools: AuditTools;
let network: string;
let dossiers: readonly Dossier[];
beforeAll(async () => {
  database = await freshDatabase();
  tools = await plainTools();
  network = await settledNetwork(database, { epochs: 5, providers: 6, held: [3] });
  dossiers = await unchangingView(database.open('settle_auditor'), async (client) => {
    const loader = await DossierLoader.open(client, network);
    const loaded = [];
    for (const publication of loader.publications(0, 4)) loaded.push(await loader.load(publication));
    return loaded;
  });
});
afterAll(() => database.close());

test('S4, S6: bundles: (1) and (2) are found without a witness; (3) with a witness and by nothing else', async () => {
  const random = randomOf(seed);
  const attempts: Attempt[] = [];
  while (attempts.length < count) {
    const made = attempt(dossiers[random(dossiers.length)]!, tools.hashes, random);
    if (made !== null) attempts.push(made);
  }
  const missed = attempts.filter(({ adversary, found, foundWithWitness }) =>
    adversary === 3 ? found || !foundWithWitness : !found,
  );
  expect(missed).toEqual([]);
  await writeTable(attempts);
}, 1_800_000);

test('S4: a changed value in the database is found, whichever covered column it is in', async () => {
  const random = randomOf(seed + 1);
  const columns = Object.entries(COVERED).flatMap(([table, covered]) =>
    Object.keys(covered)
      .filter((column) => column !== 'network')
      .map((column) => ({ table, column })),
  );
  const missed: string[] = [];
  let made = 0;
  // The columns in turn, each at least once: none is left out by chance.
  for (let index = 0; index < Math.max(columns.length, count / DATABASE_SHARE); index += 1) {
    const { table, column } = columns[index % columns.length]!;
    const found = await tamperedAndAudited(table, column, random);
    if (found === null) continue;
    made += 1;
    if (!found) missed.push(`${table}.${column}`);
  }
  expect(missed).toEqual([]);
  expect(made).toBeGreaterThan(0);
}, 1_800_000);

/** Changes a random row as a superuser whom nothing stops, audits, and takes it back; null: nothing could be changed. */
async function tamperedAndAudited(
  table: string,
  column: string,
  random: (below: number) => number,
): Promise<boolean | null> {
  const client = await database.superuser.connect();
  try {
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    if (!(await changeRow(client, table, column, random))) return null;
    const outcomes = await auditEpochs({ pool: poolOf(client) }, network, { first: 0, last: 4 }, tools).catch(
      () => null,
    );
    return outcomes === null || outcomes.some(({ outcome }) => outcome === 'failed');
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function changeRow(
  client: PoolClient,
  table: string,
  column: string,
  random: (below: number) => number,
): Promise<boolean> {
  const mine = COVERED[table]!.network === undefined ? '' : `where t.network = '${network}'`;
  const rows = await client.query<{ tableoid: number; ctid: string; value: string | null; type: string }>(
    `select t.tableoid, t.ctid::text, t.${column}::text as value, format_type(a.atttypid, a.atttypmod) as type
     from settle.${table} t, pg_attribute a
     ${mine === '' ? 'where' : `${mine} and`} a.attrelid = 'settle.${table}'::regclass and a.attname = '${column}'
     order by t.tableoid, t.ctid`,
  );
  if (rows.rows.length === 0) return false;
  const row = rows.rows[random(rows.rows.length)]!;
  const other = otherText(row.value ?? '', random);
  if (other === row.value) return false;
  await client.query('savepoint change');
  try {
    const changed = await client.query(
      `update settle.${table} set ${column} = $1::text::${row.type} where tableoid = $2 and ctid = $3::tid
         and ${column} is distinct from $1::text::${row.type}`,
      [other, row.tableoid, row.ctid],
    );
    return changed.rowCount === 1;
  } catch {
    // A constraint says no, as it would to a superuser.
    await client.query('rollback to savepoint change');
    return false;
  }
}

/** A pool of one client whose transaction is ours. */
function poolOf(client: PoolClient): Pool {
  const within = {
    query: (...args: [never]) =>
      typeof args[0] === 'string' && /^(begin|commit)/.test(args[0])
        ? Promise.resolve({ rows: [] })
        : client.query(...args),
    release: () => undefined,
  };
  return { connect: async () => within } as unknown as Pool;
}

/** Generated into docs/audit.md by `npm run tamper`. */
async function writeTable(attempts: readonly Attempt[]): Promise<void> {
  if (process.env.TAMPER_OUT === undefined) return;
  const groups = new Map<string, Attempt[]>();
  for (const one of attempts) {
    const name = `${one.adversary}|${one.kind}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const percent = (own: readonly Attempt[], is: (one: Attempt) => boolean) =>
    `${((100 * own.filter(is).length) / own.length).toFixed(0)} %`;
  const lines = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => {
      const [adversary, kind] = name.split('|');
      const checks = [...new Set(own.flatMap((one) => one.checks))].sort().join(', ') || '–';
      return `| ${adversary} | ${kind} | ${own.length} | ${percent(own, (o) => o.found)} | ${percent(own, (o) => o.named)} | ${percent(own, (o) => o.foundWithWitness)} | ${checks} |`;
    });
  const table = [
    `Seed ${seed}, ${count} attempts on bundles:`,
    '',
    '| adversary | what was changed | attempts | found without a witness | named | found with a witness | by |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...lines,
  ].join('\n');
  const file = join(__dirname, '..', '..', process.env.TAMPER_OUT);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/(<!-- tamper -->\n)[\s\S]*(\n<!-- \/tamper -->)/, `$1${table}$2`));
}

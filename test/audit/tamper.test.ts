import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import type { Dossier } from '../../src/audit/dossier';
import { DossierLoader } from '../../src/audit/load-dossier';
import { SEALED_TABLES } from '../../src/audit/sealed-tables';
import { type AuditTools, auditEpochs } from '../../src/commands/audit-epochs';
import { unchangingView } from '../../src/store/pool';
import { replayRuns } from '../../src/worker/replay';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import type { World } from '../harness/worlds';
import { COVERED } from './coverage';
import type { Forged } from './forge';
import { type Attempt, attempt, forge, otherText, randomOf } from './tampering';
import { dropChecks, writeForged } from './tampering-database';
import { plainTools, settledNetwork, variedWorld } from './worlds';

const seed = Number(process.env.TAMPER_SEED ?? 1);
const count = Number(process.env.TAMPER_COUNT ?? 200);
/** An attempt on the database costs an audit of it, so there are fewer of them. */
const DATABASE_SHARE = 20;

let database: TestDatabase;
let tools: AuditTools;
let network: string;
let dossiers: readonly Dossier[];
let world: World;
let plain: Audited;
let varied: Audited;
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
  plain = { database, network, tools: { ...tools, witness: await witnessOf(database, network) } };
  const made = await variedWorld();
  world = made.world;
  varied = { database: world.database, network: made.network, tools: { ...tools, replay: rememberedReplays() } };
}, 300_000);
afterAll(async () => {
  await database.close();
  await world.close();
});

/** Replays a history on a bundle once: most attempts leave both as they are. */
function rememberedReplays(): AuditTools['replay'] {
  const known = new Map<string, string | null>();
  return async (code, runs) => {
    const nameOf = (json: string) => createHash('sha256').update(code).update(json).digest('hex');
    const unknown = runs.filter(({ json }) => !known.has(nameOf(json)));
    const verdicts = unknown.length === 0 ? new Map<string, string | null>() : await replayRuns(code, unknown);
    for (const { runId, json } of unknown) known.set(nameOf(json), verdicts.get(runId) ?? null);
    return new Map(runs.map(({ runId, json }) => [runId, known.get(nameOf(json))!]));
  };
}

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
  await writeTable('bundles', attempts);
}, 1_800_000);

test('S4: database, adversary 1: a changed value is found, whichever covered column it is in', async () => {
  const random = randomOf(seed + 1);
  const columns = Object.entries(COVERED).flatMap(([table, covered]) =>
    Object.keys(covered)
      .filter((column) => column !== 'network')
      .map((column) => ({ table, column })),
  );
  const attempts: Attempt[] = [];
  const missed: string[] = [];
  // The columns in turn, each at least once: none is left out by chance.
  for (let index = 0; index < Math.max(columns.length, count / DATABASE_SHARE); index += 1) {
    const { table, column } = columns[index % columns.length]!;
    const made = await attempted(varied, `column of ${table}`, 1, (client) => changed(client, table, column, random), {
      table,
      column,
    });
    if (made === null) throw new Error(`no value of ${table}.${column} could be changed`);
    attempts.push(made);
    if (!made.found) missed.push(`${table}.${column}`);
  }
  expect(missed).toEqual([]);
  await writeTable('database-1', attempts);
}, 1_800_000);

test('S6: database, adversaries 2 and 3: digests that fit are no help; a rewriting in accord is seen by a witness alone', async () => {
  const random = randomOf(seed + 2);
  const attempts: Attempt[] = [];
  while (attempts.length < Math.max(40, count / DATABASE_SHARE)) {
    const adversary = (2 + random(2)) as 2 | 3;
    // What follows the last publication need not be written anew.
    const dossier = adversary === 3 ? dossiers.at(-1)! : dossiers[random(dossiers.length)]!;
    const forged = forge(dossier, tools.hashes, random, adversary, WRITTEN_BACK[adversary]);
    if (forged === null) continue;
    const { kind } = forged;
    const made = await attempted(plain, kind, adversary, (client) => written(client, dossier, forged.forged), null);
    if (made !== null) attempts.push(made);
  }
  expect(attempts.filter((one) => (one.adversary === 3 ? one.found || !one.foundWithWitness : !one.found))).toEqual([]);
  expect(new Set(attempts.map(({ adversary }) => adversary))).toEqual(new Set([2, 3]));
  await writeTable('database-2-3', attempts);
}, 1_800_000);

/** What writeForged can write back. The registry is shared by all epochs: one row of it changed is no change in accord. */
const WRITTEN_BACK = {
  2: [
    ...['sealed registry row', 'sealed capacity row', 'sealed performance row', 'sealed demand row', 'sealed quote'],
    ...['sealed token row', 'sealed macro row', 'row removed', 'price row', 'payout row', 'payout moved'],
    ...['snapshot facts', 'derivation', 'history named', 'content', 'breakers', 'approval', 'ledger posting'],
  ],
  3: ['sealed capacity row', 'sealed performance row'],
} as const;

interface Audited {
  readonly database: TestDatabase;
  readonly network: string;
  readonly tools: AuditTools;
}

/** The heads that a witness kept, as `heads.log` has them. */
async function witnessOf({ superuser }: TestDatabase, of: string): Promise<string> {
  const { rows } = await superuser.query<{ line: string }>(
    `select format('%s %s %s', epoch, revision, head) as line from settle.chain_entry
     where network = $1 and kind = 'claims' order by position`,
    [of],
  );
  return rows.map(({ line }) => `${line}\n`).join('');
}

/** Tampers as a superuser whom nothing stops, audits, and takes it back; null: nothing could be changed. */
async function attempted(
  { database, network, tools }: Audited,
  kind: string,
  adversary: Attempt['adversary'],
  tamper: (client: PoolClient) => Promise<boolean>,
  place: { readonly table: string; readonly column: string } | null,
): Promise<Attempt | null> {
  const client = await database.superuser.connect();
  try {
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    await dropChecks(client);
    if (!(await tamper(client))) return null;
    const outcomes = await auditEpochs({ pool: poolOf(client) }, network, { first: 0, last: 99 }, tools).catch(
      (error: Error) => [{ check: 'chain', outcome: 'failed', detail: error.message, difference: null }] as const,
    );
    const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
    const inside = failed.filter(({ check }) => check !== 'witness');
    return {
      adversary,
      kind,
      found: inside.length > 0,
      foundWithWitness: failed.length > 0,
      checks: [...new Set(inside.map(({ check }) => check))],
      named: inside.some(
        ({ difference }) => difference !== null && (place === null || difference.table === place.table),
      ),
    };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

async function written(client: PoolClient, dossier: Dossier, forged: Forged): Promise<boolean> {
  await client.query('savepoint forged');
  try {
    await writeForged(client, dossier, forged);
    // A cell that its column gives back in another form (`05`) is in accord with nothing.
    if (await isWritten(client, dossier, forged)) return true;
    await client.query('rollback to savepoint forged');
    return false;
  } catch (error) {
    // A value that its column cannot hold. What no statement of ours can write is a defect of this test.
    if (!/^22|^23/.test((error as { code?: string }).code ?? '')) throw error;
    await client.query('rollback to savepoint forged');
    return false;
  }
}

async function isWritten(client: PoolClient, { epoch, revision }: Dossier, forged: Forged): Promise<boolean> {
  const loader = await DossierLoader.open(client, forged.network);
  const key = loader.publications(epoch, epoch).find((publication) => publication.revision === revision);
  if (key === undefined) return true;
  const stored = await loader.load(key).catch(() => null);
  return stored === null || JSON.stringify(stored.rows) === JSON.stringify(forged.rows);
}

const TRIES = 40;

/** Rows of an epoch that failed before it was sealed were settled by nothing. */
const INPUTS = new Set<string>(
  Object.values(SEALED_TABLES).flatMap(({ name }) => (name === 'provider_version' ? [] : name)),
);
const SEALED = 'exists (select from settle.seal s where s.network = t.network and s.epoch = t.epoch)';

async function changed(client: PoolClient, table: string, column: string, random: (below: number) => number) {
  for (let tries = 0; tries < TRIES; tries += 1) if (await changeRow(client, table, column, random)) return true;
  return false;
}

async function changeRow(
  client: PoolClient,
  table: string,
  column: string,
  random: (below: number) => number,
): Promise<boolean> {
  const ofNetwork = COVERED[table]!.network === undefined ? '' : `where t.network = '${varied.network}'`;
  const mine = INPUTS.has(table) ? `${ofNetwork} and ${SEALED}` : ofNetwork;
  const rows = await client.query<{ tableoid: number; ctid: string; value: string | null; type: string }>(
    `select t.tableoid, t.ctid::text, t.${column}::text as value, format_type(a.atttypid, a.atttypmod) as type
     from settle.${table} t, pg_attribute a
     ${mine === '' ? 'where' : `${mine} and`} a.attrelid = 'settle.${table}'::regclass and a.attname = '${column}'
     order by t.tableoid, t.ctid`,
  );
  if (rows.rows.length === 0) return false;
  const row = rows.rows[random(rows.rows.length)]!;
  const text = row.value ?? '';
  const other = row.type === 'jsonb' && !/[0-9]/.test(text) ? `[${text}]` : otherText(text, random);
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
async function writeTable(place: string, attempts: readonly Attempt[]): Promise<void> {
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
    `Seed ${seed}, ${attempts.length} attempts:`,
    '',
    '| adversary | what was changed | attempts | found without a witness | named | found with a witness | by |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...lines,
  ].join('\n');
  const file = join(__dirname, '..', '..', process.env.TAMPER_OUT);
  const text = await readFile(file, 'utf8');
  await writeFile(
    file,
    text.replace(
      new RegExp(`(<!-- tamper ${place} -->\n)[^]*(\n<!-- /tamper ${place} -->)`),
      (_, begin: string, end: string) => `${begin}${table}${end}`,
    ),
  );
}

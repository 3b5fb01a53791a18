import { createHash } from 'node:crypto';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

let database: TestDatabase;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' });
  await settleAllInProcess(await activitiesOn(database.worker), network);
});
afterAll(() => database.close());

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

interface Entry {
  readonly position: number;
  readonly kind: string;
  readonly entry: string;
  readonly content_digest: string;
  readonly previous_head: string;
  readonly head: string;
}

async function entries(): Promise<readonly Entry[]> {
  const found = await database.viewer.query<Entry>('select * from chain_entry where network = $1 order by position', [
    network,
  ]);
  return found.rows;
}

test('each head is the hash of its entry, and each entry names the head before it', async () => {
  const chain = await entries();
  expect(chain.map(({ kind }) => kind)).toEqual(['revision', 'claims', 'revision', 'claims', 'revision', 'claims']);
  let head = '0'.repeat(64);
  for (const [index, entry] of chain.entries()) {
    expect(entry.position).toBe(index + 1);
    expect(entry.previous_head).toBe(head);
    expect(entry.head).toBe(sha256(entry.entry));
    const { previousHead, ...content } = JSON.parse(entry.entry) as Record<string, unknown>;
    expect(previousHead).toBe(head);
    // Keys of canonical JSON are sorted, and taking one out leaves them so.
    expect(entry.content_digest).toBe(sha256(JSON.stringify(content)));
    head = entry.head;
  }
});

/** Appends a copy of the last revision entry with some columns changed, with the worker's rights. */
async function append(change: Record<string, unknown>): Promise<string> {
  try {
    await database.worker.query(
      `insert into chain_entry select r.* from
         (select c from chain_entry c where network = $1 and kind = 'revision' order by position desc limit 1) one,
         jsonb_populate_record(one.c, $2::jsonb) r`,
      [network, JSON.stringify(change)],
    );
    return 'appended';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A well-formed next entry that says something else. */
async function nextEntry(content: Record<string, unknown>) {
  const chain = await entries();
  const last = chain.at(-1) as Entry;
  const revision = JSON.parse(chain.at(-2)?.entry ?? '') as Record<string, unknown>;
  const entry = JSON.stringify({ ...revision, previousHead: last.head, ...content });
  return { position: last.position + 1, entry, previous_head: last.head, head: sha256(entry) };
}

test('an epoch is not published twice, however well-formed the second entry', async () => {
  expect(await append(await nextEntry({}))).toBe('23505');
});

test('a computation that was not checked is not published', async () => {
  expect(await append({ ...(await nextEntry({ revision: 2 })), revision: 2 })).toBe('23503');
});

test('a head that is not the hash of its entry, or an entry that names another epoch or head, is refused', async () => {
  const next = await nextEntry({ revision: 2 });
  expect(await append({ ...next, revision: 2, head: 'f'.repeat(64) })).toBe('23514');
  expect(await append({ ...next, revision: 3 })).toBe('23514');
  expect(await append({ ...next, revision: 2, previous_head: 'f'.repeat(64) })).toBe('23514');
});

test('a head is followed once: the chain has no forks', async () => {
  const chain = await entries();
  const fork = JSON.stringify({ ...(JSON.parse(chain[0]!.entry) as object), revision: 2 });
  const attempt = { revision: 2, position: 99, entry: fork, previous_head: '0'.repeat(64), head: sha256(fork) };
  expect(await append({ ...attempt, epoch: 0 })).toBe('23505');
});

/** The text of jsonb: keys by length, then by bytes; a space after each colon and comma. */
function jsonbText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}: ${jsonbText((value as Record<string, unknown>)[key])}`).join(', ')}}`;
}

test('the audit log is chained: every hash can be computed again from the rows', async () => {
  const found = await database.superuser.query<Record<string, unknown>>(
    `select *, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as moment
     from settle.audit_log order by entry`,
  );
  expect(found.rows.length).toBeGreaterThanOrEqual(5);
  let previous = '0'.repeat(64);
  for (const [index, row] of found.rows.entries()) {
    const { moment, actor, action, subject, outcome, reason, request_id, detail } = row;
    const cells = [
      index + 1,
      moment,
      row.network,
      actor,
      action,
      subject,
      outcome,
      reason,
      request_id,
      detail,
      previous,
    ];
    expect(row.previous_hash).toBe(previous);
    expect(row.hash).toBe(sha256(jsonbText(cells)));
    previous = row.hash as string;
  }
});

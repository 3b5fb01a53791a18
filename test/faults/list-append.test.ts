import type { Activities } from '../../activities';
import type { ComputationRef } from '../../activities/contracts';
import type { DisputeKey } from '../../src/store/disputes';
import { approved, computed, opened, rows } from '../disputes/disputing';
import { seededRandom } from '../generate/random';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { makeNetwork } from '../harness/networks';

/**
 * The chain of a network is a list, and a publication an append to it. As a list-append checker does, this lets many
 * append and read at once, breaks connections under them, and then asks whether one order explains what everybody saw.
 */

const EPOCHS = 8;
const PUBLISHERS = 3;
const READERS = 2;
const ATTEMPTS = 40;

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

interface Append {
  readonly key: ComputationRef;
  readonly ref: DisputeKey;
  readonly digest: string;
}

/** An operation with the moments between which it happened. */
interface Seen<T> {
  readonly begun: number;
  readonly ended: number;
  readonly value: T;
}

/** Approved disputes of as many epochs, each with its computed revision 2: they may be published in any order. */
async function prepared(activities: Activities, network: string): Promise<readonly Append[]> {
  const appends: Append[] = [];
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    const { key: ref } = await opened(database, network, epoch, rows('capacity', `${epoch},p0,gpu,10,9`));
    const { key, checked } = await computed(activities, ref);
    await approved(database, ref);
    appends.push({ key, ref, digest: checked.contentDigest });
  }
  return appends;
}

const chain = async (network: string): Promise<readonly string[]> =>
  (
    await database.viewer.query<{ entry: string }>(
      `select format('%s %s.%s', kind, epoch, revision) as entry from chain_entry where network = $1 order by position`,
      [network],
    )
  ).rows.map(({ entry }) => entry);

const nameOf = ({ key }: Append) => `revision ${key.epoch}.${key.revision}`;

/** Publishes and proves, again and again until it is done, as Temporal would. */
async function append(activities: Activities, { ref, key, digest }: Append): Promise<Seen<string>> {
  const begun = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const published = await activities.publishDispute(ref, key, digest);
      if (published.kind !== 'published') throw new RangeError(`it is ${published.kind}`);
      await activities.prove(key, 'test');
      return { begun, ended: performance.now(), value: published.head };
    } catch (error) {
      // What the worker retries is retried; anything else is what this test is looking for.
      if ((error as { nonRetryable?: boolean }).nonRetryable === true || error instanceof RangeError) throw error;
      if (attempt === ATTEMPTS) throw new Error('it was tried too often', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 5 * attempt));
    }
  }
}

test('F28: publishers and readers at once, with connections that break: one order of the chain explains all that was seen', async () => {
  const network = await makeNetwork({ pool: database.superuser, actor: 'olivia' }, { epochs: EPOCHS });
  const calm = await activitiesOn(database.worker);
  await settleAllInProcess(calm, network);
  const appends = await prepared(calm, network);
  const before = await chain(network);
  const random = seededRandom(28);
  let done = false;

  const reads: Seen<readonly string[]>[] = [];
  const reader = async () => {
    while (!done) {
      const begun = performance.now();
      const value = await chain(network);
      reads.push({ begun, ended: performance.now(), value });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const breaker = async () => {
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, random.integer(60, 200)));
      await database.superuser.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'test settle_worker' order by random() limit 1`,
      );
    }
  };
  const publisher = async (shift: number): Promise<Seen<string>[]> => {
    const answers: Seen<string>[] = [];
    for (let index = 0; index < appends.length; index += 1) {
      // Each publisher in an order of its own, so that each revision has several at it and they meet others.
      answers.push(await append(calm, appends[(index * 3 + shift) % appends.length]!));
    }
    return answers;
  };
  const disturbing = [breaker(), ...Array.from({ length: READERS }, reader)];
  const orders = Array.from({ length: PUBLISHERS }, (_, shift) => publisher(shift * 2));
  const answers = await Promise.all(orders).finally(() => {
    done = true;
  });
  await Promise.all(disturbing);

  const last = await chain(network);
  const appended = last.slice(before.length);
  // Nothing lost, nothing twice, every revision followed by its claims.
  expect([...appended].filter((entry) => entry.startsWith('revision')).sort()).toEqual(appends.map(nameOf).sort());
  for (let at = 0; at < appended.length; at += 2) {
    expect(appended[at + 1]).toBe(appended[at]!.replace('revision', 'claims'));
  }
  // Every read is a beginning of the list, and a later read is never a shorter one.
  expect(reads.length).toBeGreaterThan(20);
  for (const { value } of reads) expect(value).toEqual(last.slice(0, value.length));
  for (const first of reads) {
    for (const second of reads) {
      if (first.ended < second.begun) expect(second.value.length).toBeGreaterThanOrEqual(first.value.length);
    }
  }
  // All who published the same revision were told the same head, and an append that had ended before another one began
  // stands before it, and in every read that began later.
  const seen = answers.flatMap((list, publisherAt) =>
    list.map((answer, index) => ({
      ...answer,
      name: nameOf(appends[(index * 3 + publisherAt * 2) % appends.length]!),
    })),
  );
  const heads = new Map<string, Set<string>>();
  for (const { name, value } of seen) heads.set(name, (heads.get(name) ?? new Set()).add(value));
  expect([...heads.values()].map((set) => set.size)).toEqual(appends.map(() => 1));
  const at = (name: string) => last.indexOf(name);
  const firstEnd = new Map<string, number>();
  const firstBegin = new Map<string, number>();
  for (const { name, begun, ended } of seen) {
    firstEnd.set(name, Math.min(firstEnd.get(name) ?? Number.POSITIVE_INFINITY, ended));
    firstBegin.set(name, Math.min(firstBegin.get(name) ?? Number.POSITIVE_INFINITY, begun));
  }
  for (const [name, ended] of firstEnd) {
    for (const [other, begun] of firstBegin) if (ended < begun) expect(at(name)).toBeLessThan(at(other));
    for (const read of reads) if (ended < read.begun) expect(read.value).toContain(name);
  }
  const balance = await database.superuser.query<{ sum: string }>(
    'select coalesce(sum(amount), 0)::text as sum from settle.ledger_posting where network = $1',
    [network],
  );
  expect(balance.rows).toEqual([{ sum: '0' }]);
});

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bundleRows } from '../../src/commands/bundle-rows';
import { importBundle } from '../../src/commands/import-bundle';
import { openBundle } from '../../src/inputs/bundle';
import type { RowSource } from '../../src/store/load-source';
import { loadBundle } from '../../src/store/loads';
import { openPool } from '../../src/store/pool';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { bundleTexts, makeNetworkOf, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { allRows } from '../harness/rows';
import { count } from '../harness/worlds';
import { type NarrowLink, narrowLink } from './narrow-link';

const MEGABYTE = 2 ** 20;

let database: TestDatabase;
let link: NarrowLink | null = null;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(async () => {
  await link?.close();
  link = null;
  await database.close();
});

const operator = () => ({ pool: database.operator, actor: 'olivia' });
const EMPTY = bundleTexts({ epochs: 0, providers: 0 });

const emptyNetwork = () =>
  makeNetworkOf(operator(), EMPTY, JSON.stringify(policyDocument()), { first: 0, last: null, holds: 'wait' });

/** Lends a folder with a bundle of so many bytes, all of them in one file. */
function withLargeBundle<T>(
  bytes: number,
  table: 'capacity' | 'token',
  rowOf: (index: number) => string,
  work: (folder: string, rows: number) => Promise<T>,
): Promise<T> {
  const { providers } = bundleTexts({ epochs: 0, providers: PROVIDERS });
  return withBundleFolder({ ...EMPTY, providers }, async (folder) => {
    const file = createWriteStream(join(folder, `${table}.csv`));
    file.write(EMPTY[table]);
    let written = 0;
    let rows = 0;
    for (; written < bytes; rows += 1) {
      const row = `${rowOf(rows)}\n`;
      written += row.length;
      if (!file.write(row)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    return work(folder, rows);
  });
}

const PROVIDERS = 100;

/** Long by zeros that mean nothing: much to read, and little to store. */
const paddedCapacity = (index: number): string =>
  `${Math.floor(index / PROVIDERS)},p${index % PROVIDERS},gpu,10,4.`.padEnd(4_000, '0');

const FIGURE = `${'9'.repeat(30)}.${'9'.repeat(12)}`;

/** As long as a row can be that has to be stored as it is. */
const longToken = (index: number): string =>
  `0,${String(index).padStart(128, 'x')},2020-05-01T00:00:00Z,${FIGURE},${FIGURE}`;

/** Opens a narrow way to the database and gives the URL by it. */
async function narrowUrl(bytesASecond: number): Promise<{ readonly url: string; readonly way: NarrowLink }> {
  const way = await narrowLink(Number(new URL(database.url).port), bytesASecond);
  link = way;
  return { url: way.through(database.url), way };
}

interface Peak {
  readonly counts: Readonly<Record<string, { readonly added: number }>>;
  readonly peakBytes: number;
}

async function importBounded(heapMegabytes: number, url: string, network: string, folder: string): Promise<Peak> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    `--max-old-space-size=${heapMegabytes}`,
    join(__dirname, 'import-process.cjs'),
    JSON.stringify({ url, network, folder }),
  ]);
  return JSON.parse(stdout) as Peak;
}

const HEAP_MEGABYTES = 24;

test('a bundle several times larger than memory is loaded, and a larger one takes no more memory', async () => {
  const peaks: number[] = [];
  for (const size of [1, 4]) {
    const network = await emptyNetwork();
    await withLargeBundle(size * HEAP_MEGABYTES * MEGABYTE, 'capacity', paddedCapacity, async (folder, rows) => {
      const { counts, peakBytes } = await importBounded(HEAP_MEGABYTES, database.url, network, folder);
      expect(counts.capacity).toMatchObject({ added: rows });
      expect(await count(database, 'capacity', network)).toBe(rows);
      peaks.push(peakBytes);
    });
  }
  expect(peaks[1]! - peaks[0]!).toBeLessThan(HEAP_MEGABYTES * MEGABYTE);
});

/** What two sockets' buffers hold between here and a database that reads nothing, and a few batches. */
const UNDER_WAY_BYTES = 12 * MEGABYTE;

test('a database that takes nothing for a while is waited for, and the bundle is not read ahead of it', async () => {
  const network = await emptyNetwork();
  const { url, way } = await narrowUrl(MEGABYTE);
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'waited for', onIdleError: () => undefined });
  await withLargeBundle(24 * MEGABYTE, 'token', longToken, async (folder, rows) => {
    const bundle = bundleRows(await openBundle(folder));
    let read = 0;
    const source: RowSource = {
      ...bundle,
      async *batches(table) {
        for await (const batch of bundle.batches(table)) {
          if (table === 'token') read += batch.count;
          yield batch;
        }
      },
    };
    const options = { network, actor: 'olivia', dryRun: false, outsideCalendar: 'refuse' } as const;
    const loading = loadBundle(pool, source, options);
    await way.reached(100_000);
    way.pause();
    for (let before = -1; before !== read; await delay(500)) before = read;
    expect((read / rows) * 24 * MEGABYTE).toBeLessThan(UNDER_WAY_BYTES);
    way.widen();
    expect((await loading).counts.token).toMatchObject({ read: rows, added: rows });
  });
  await pool.end();
});

test('a database that dies in the middle of a bundle leaves nothing of it, and the same import goes through later', async () => {
  const network = await emptyNetwork();
  const before = await allRows(database);
  const { url, way } = await narrowUrl(4 * MEGABYTE);
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'cut', onIdleError: () => undefined });
  await withLargeBundle(8 * MEGABYTE, 'token', longToken, async (folder, rows) => {
    const load = (by: typeof pool) =>
      importBundle({ pool: by, actor: 'olivia' }, folder, { network, dryRun: false, outsideCalendar: 'refuse' });
    const cut = way.reached(MEGABYTE).then(() => way.cut());
    const error = await load(pool).then(
      () => new Error('it was loaded'),
      (failed: Error) => failed,
    );
    await cut;
    expect(error.message).toMatch(/EPIPE|ECONNRESET|terminated/);
    expect(await allRows(database)).toEqual(before);
    expect((await load(database.operator)).counts.token).toMatchObject({ added: rows, repeated: 0 });
  });
  await pool.end();
});

test('a load that is given up ends at once, and leaves nothing', async () => {
  const network = await emptyNetwork();
  const before = await allRows(database);
  const { url, way } = await narrowUrl(MEGABYTE);
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'given up', onIdleError: () => undefined });
  await withLargeBundle(8 * MEGABYTE, 'token', longToken, async (folder) => {
    const stop = new AbortController();
    const load = importBundle({ pool, actor: 'olivia' }, folder, {
      network,
      dryRun: false,
      outsideCalendar: 'refuse',
      signal: stop.signal,
    });
    void way.reached(200_000).then(() => {
      way.pause();
      stop.abort();
    });
    const error = await load.catch((failed: unknown) => failed);
    expect(stop.signal.aborted).toBe(true);
    expect(error).toBe(stop.signal.reason);
    expect(await allRows(database)).toEqual(before);
  });
  await pool.end();
});

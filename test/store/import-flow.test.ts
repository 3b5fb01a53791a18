import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { failureOf } from '../../src/cli/errors';
import { importBundle } from '../../src/commands/import-bundle';
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
const PROVIDERS = 100;

const emptyNetwork = () =>
  makeNetworkOf(operator(), EMPTY, JSON.stringify(policyDocument()), { first: 0, last: null, holds: 'wait' });

/** Bytes of one row of capacity: as long as a row may be by zeros that mean nothing, so that few rows are much to read. */
const ROW_BYTES = 4_000;

/** Lends a folder with a bundle of so many bytes. */
function withLargeBundle<T>(bytes: number, work: (folder: string, rows: number) => Promise<T>): Promise<T> {
  const { providers } = bundleTexts({ epochs: 0, providers: PROVIDERS });
  return withBundleFolder({ ...EMPTY, providers }, async (folder) => {
    const file = createWriteStream(join(folder, 'capacity.csv'));
    file.write(EMPTY.capacity);
    const rows = Math.floor(bytes / ROW_BYTES);
    for (let row = 0; row < rows; row += 1) {
      const start = `${Math.floor(row / PROVIDERS)},p${row % PROVIDERS},gpu,10,4.`;
      if (!file.write(`${start.padEnd(ROW_BYTES - 1, '0')}\n`)) await once(file, 'drain');
    }
    file.end();
    await once(file, 'close');
    return work(folder, rows);
  });
}

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

const HEAP_MEGABYTES = 32;

test('a bundle larger than memory is read at the pace of a database that is slower than the disk', async () => {
  const peaks: number[] = [];
  for (const size of [1, 3]) {
    const network = await emptyNetwork();
    // The zeros are not sent: a hundredth of the file's bytes takes longer this way than the whole file from the disk.
    const { url, way } = await narrowUrl(MEGABYTE);
    await withLargeBundle(size * HEAP_MEGABYTES * MEGABYTE, async (folder, rows) => {
      const { counts, peakBytes } = await importBounded(HEAP_MEGABYTES, url, network, folder);
      expect(counts.capacity).toMatchObject({ added: rows });
      expect(await count(database, 'capacity', network)).toBe(rows);
      peaks.push(peakBytes);
    });
    await way.close();
  }
  expect(peaks[1]! - peaks[0]!).toBeLessThan(20 * MEGABYTE);
});

test('a database that dies in the middle of a bundle leaves nothing of it, and the same import goes through later', async () => {
  const network = await emptyNetwork();
  const before = await allRows(database);
  const { url, way } = await narrowUrl(200_000);
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'cut', onIdleError: () => undefined });
  await withLargeBundle(16 * MEGABYTE, async (folder, rows) => {
    const load = (by: typeof pool) =>
      importBundle({ pool: by, actor: 'olivia' }, folder, { network, dryRun: false, outsideCalendar: 'refuse' });
    const cut = way.reached(30_000).then(() => way.cut());
    const error = await load(pool).then(
      () => new Error('it was loaded'),
      (failed: Error) => failed,
    );
    await cut;
    expect(failureOf(error)).toMatchObject({
      exit: 1,
      defect: false,
      message: expect.stringMatching(/did not answer/),
    });
    expect(await allRows(database)).toEqual(before);
    expect((await load(database.operator)).counts.capacity).toMatchObject({ added: rows, repeated: 0 });
  });
  await pool.end();
});

test('a load that is given up ends at once, whatever it is doing, and leaves nothing', async () => {
  const network = await emptyNetwork();
  const before = await allRows(database);
  const { url, way } = await narrowUrl(200_000);
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'given up', onIdleError: () => undefined });
  await withLargeBundle(16 * MEGABYTE, async (folder) => {
    const stop = new AbortController();
    const load = importBundle({ pool, actor: 'olivia' }, folder, {
      network,
      dryRun: false,
      outsideCalendar: 'refuse',
      signal: stop.signal,
    });
    void way.reached(30_000).then(() => stop.abort());
    const error = await load.catch((failed: unknown) => failed);
    expect(stop.signal.aborted).toBe(true);
    expect(error).toBe(stop.signal.reason);
    expect(await allRows(database)).toEqual(before);
  });
  await pool.end();
});

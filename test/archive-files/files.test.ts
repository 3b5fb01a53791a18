import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { MANIFEST_FILE, manifestText, readManifest } from '../../src/archives/manifest';
import { archiveLines, checkOf, requireManifest } from '../../src/archives/read-archive';
import { RowsDigest } from '../../src/archives/rows-digest';
import type { ArchiveTable } from '../../src/archives/tables';
import { type ArchiveRows, writeArchive } from '../../src/archives/write-archive';

// The files alone: no server is needed to write, read and mistrust them.
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settle-test-archive-files-'));
});
afterEach(() => rm(folder, { recursive: true }));

const LINES: Readonly<Record<ArchiveTable, readonly string[]>> = {
  capacity: ['n,254,p0,gpu,10,4', 'n,254,p1,gpu,11,5.5', 'n,255,p0,gpu,10,4', 'other,254,p0,gpu,1,1'],
  performance: ['n,254,p0,0.99,120,,4.5', 'n,254,p1,,,,'],
  payout: ['n,254,1,1,p0,10,0,1,9,paid,1.1', 'n,254,1,1,p1,0,0,0,0,suspended,', 'n,254,2,1,p0,12,0,0,12,paid,1.1'],
};

const rows: ArchiveRows = async function* (table) {
  for (const line of LINES[table]) yield [line];
};

async function read(archive: string, table: ArchiveTable): Promise<readonly string[]> {
  const { manifest } = await readManifest(archive);
  const found: string[] = [];
  const pieces = archiveLines(archive, table, (file) => requireManifest(archive, manifest, table, file));
  for await (const piece of pieces) found.push(...piece);
  return found;
}

test('what is written is read again, and the same rows make the same bytes', async () => {
  const archive = await writeArchive(folder, 0, rows);
  expect(archive).toBe(join(folder, 'epochs-0-255'));
  for (const table of ['capacity', 'performance', 'payout'] as const) {
    expect(await read(archive, table)).toEqual(LINES[table]);
  }
  const other = await writeArchive(join(folder, 'other'), 0, rows);
  for (const file of await readdir(archive)) {
    expect(await readFile(join(other, file))).toEqual(await readFile(join(archive, file)));
  }
  const { manifest } = await readManifest(archive);
  expect(manifest.epochs.map(({ table, network, epoch, rows: count }) => [table, network, epoch, count])).toEqual([
    ['capacity', 'n', 254, 2],
    ['capacity', 'n', 255, 1],
    ['capacity', 'other', 254, 1],
    ['performance', 'n', 254, 2],
    ['payout', 'n', 254, 3],
  ]);
  expect(Object.keys(manifest.epochs.at(-1)!.published)).toEqual(['1/1', '2/1']);
});

test('a draft of a killed run is no archive, and is replaced; a folder that is there is left alone', async () => {
  await mkdir(join(folder, '.epochs-0-255.part'));
  await writeFile(join(folder, '.epochs-0-255.part', 'capacity.csv.gz'), 'half');
  await writeArchive(folder, 0, rows);
  expect(await readdir(folder)).toEqual(['epochs-0-255']);
  await writeFile(join(folder, 'epochs-0-255', MANIFEST_FILE), 'mine');
  await expect(writeArchive(folder, 0, rows)).rejects.toMatchObject({ id: 'archive-exists' });
  expect(await readFile(join(folder, 'epochs-0-255', MANIFEST_FILE), 'utf8')).toBe('mine');
  expect(await readdir(folder)).toEqual(['epochs-0-255']);
});

test('rows that cannot be had leave nothing behind', async () => {
  const broken: ArchiveRows = async function* (table) {
    yield ['n,254,p0,gpu,10,4'];
    if (table === 'performance') throw new Error('the connection is gone');
  };
  await expect(writeArchive(folder, 0, broken)).rejects.toThrow('the connection is gone');
  expect(await readdir(folder)).toEqual([]);
});

test('any other byte in any line is found, and the line is named', async () => {
  const archive = await writeArchive(folder, 0, rows);
  const path = join(archive, 'payout.csv.gz');
  const text = gunzipSync(await readFile(path)).toString('latin1');
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 2), fc.constantFrom(...'0123456789abc,.p'), async (place, byte) => {
      fc.pre(text[place] !== byte && text[place] !== '\n');
      await writeFile(path, gzipSync(text.slice(0, place) + byte + text.slice(place + 1)));
      const line = text.slice(0, place).split('\n').length;
      await expect(read(archive, 'payout')).rejects.toMatchObject({
        id: 'archive-altered',
        where: `${path}, line ${line}`,
      });
    }),
    { numRuns: 200 },
  );
});

test('lines that are gone, twice or in another order are found by the digest of their epoch', async () => {
  const archive = await writeArchive(folder, 0, rows);
  const path = join(archive, 'capacity.csv.gz');
  const [header, ...lines] = gunzipSync(await readFile(path))
    .toString('latin1')
    .trimEnd()
    .split('\n') as [string, ...string[]];
  const without = lines.slice(0, -1);
  const twice = [lines[0]!, ...lines];
  const swapped = [lines[1]!, lines[0]!, ...lines.slice(2)];
  const foreign = [...lines, `zz,254,p0,gpu,1,1,${checkOf('zz,254,p0,gpu,1,1')}`];
  for (const other of [without, twice, swapped, foreign]) {
    await writeFile(path, gzipSync(`${[header, ...other].join('\n')}\n`));
    await expect(read(archive, 'capacity')).rejects.toMatchObject({ id: 'archive-altered' });
  }
  await writeFile(path, gzipSync([header, ...lines].join('\n')));
  await expect(read(archive, 'capacity')).rejects.toMatchObject({ where: expect.stringContaining('line 5') });
  await rm(path);
  await expect(read(archive, 'capacity')).rejects.toMatchObject({ id: 'archive-missing', where: path });
});

test('what is no manifest is no archive', async () => {
  const archive = await writeArchive(folder, 0, rows);
  const { manifest } = await readManifest(archive);
  const wrong = [
    '',
    'null',
    '{}',
    manifestText({ ...manifest, last: 300 }),
    manifestText(manifest).replace('archive/1', 'archive/2'),
  ];
  for (const text of wrong) {
    await writeFile(join(archive, MANIFEST_FILE), text);
    await expect(readManifest(archive)).rejects.toMatchObject({ id: 'archive-altered' });
  }
  await expect(readManifest(folder)).rejects.toMatchObject({ id: 'archive-missing' });
});

test('a digest does not depend on how lines come, also past the end of a piece', () => {
  const digest = (count: number) => {
    const rowsDigest = new RowsDigest('capacity');
    for (let place = 0; place < count; place += 1) rowsDigest.add(`n,1,p${place},gpu,1,1`);
    return rowsDigest.finish()[0]!;
  };
  expect(digest(65_536)).toMatchObject({ rows: 65_536 });
  expect(digest(65_537).digest).not.toBe(digest(65_536).digest);
});

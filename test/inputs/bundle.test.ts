import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openBundle } from '../../src/inputs/bundle';
import { copyCsvLine } from '../../src/inputs/copy-csv';
import { checkBundle, readTable } from '../../src/inputs/read-table';
import { bundleErrorOf, bundleFolder, HEADERS, newFolder, readAll, removeFolders, rowsOf } from './sample-bundle';

afterAll(removeFolders);

const CAPACITY = `${HEADERS.capacity}\n5,p1,gpu,10,7.50\n5,p2,gpu,1,0\n`;
const ROWS = [
  { line: 2, values: ['5', 'p1', 'gpu', '10', '7.5'] },
  { line: 3, values: ['5', 'p2', 'gpu', '1', '0'] },
];

describe('the folder', () => {
  test('each file may be plain or gzipped', async () => {
    const folder = bundleFolder({ 'capacity.csv': null, 'capacity.csv.gz': gzipSync(CAPACITY) });
    const bundle = await openBundle(folder);
    expect(bundle.files.capacity).toMatchObject({ name: 'capacity.csv.gz', gzipped: true });
    expect(bundle.files.demand).toMatchObject({ name: 'demand.csv', gzipped: false });
    expect(await readAll(folder, 'capacity')).toEqual(ROWS);
  });

  test.each(Object.keys(HEADERS))('%s.csv must be there', async (table) => {
    const error = await bundleErrorOf(openBundle(bundleFolder({ [`${table}.csv`]: null })));
    expect(error.id).toBe('bundle-file-missing');
    expect(error.what).toContain(`has no ${table}.csv or ${table}.csv.gz`);
  });

  test('a missing file is told together with the files that might be it', async () => {
    const error = await bundleErrorOf(openBundle(bundleFolder({ 'capacity.csv': null, 'capcity.csv': CAPACITY })));
    expect(error.id).toBe('bundle-file-missing');
    expect(error.what).toContain('not one of the seven: capcity.csv');
  });

  test('a file that is there both plain and gzipped is refused', async () => {
    const folder = bundleFolder({ 'macro.csv.gz': gzipSync(`${HEADERS.macro}\n`) });
    const error = await bundleErrorOf(openBundle(folder));
    expect(error.id).toBe('bundle-file-twice');
    expect(error.what).toContain('both macro.csv and macro.csv.gz');
  });

  test.each(['capacity-2.csv', 'Capacity.csv', 'CAPACITY.CSV', 'old.quotes.csv.gz'])(
    '%s is refused, as it was most likely meant to be read',
    async (name) => {
      const error = await bundleErrorOf(openBundle(bundleFolder({ [name]: '' })));
      expect(error.id).toBe('bundle-file-unknown');
      expect(error.what).toContain(name);
    },
  );

  test('other files are left alone, and other CSV files named', async () => {
    const folder = bundleFolder({ 'README.md': '', 'policy.yaml': '', 'payouts.csv': '', '._capacity.csv': 'x' });
    mkdirSync(join(folder, 'expected'));
    expect((await openBundle(folder)).ignored).toEqual(['payouts.csv']);
  });

  test('a folder that is not there', async () => {
    const error = await bundleErrorOf(openBundle(join(newFolder(), 'nowhere')));
    expect(error.id).toBe('bundle-not-found');
    expect(error.what).toContain('ENOENT');
  });

  test('a folder in the place of a file, and a link to nothing', async () => {
    const folder = bundleFolder({ 'macro.csv': null });
    mkdirSync(join(folder, 'macro.csv'));
    expect((await bundleErrorOf(openBundle(folder))).what).toContain('macro.csv cannot be read: it is no regular file');
    rmSync(join(folder, 'macro.csv'), { recursive: true });
    symlinkSync(join(folder, 'gone'), join(folder, 'macro.csv'));
    expect((await bundleErrorOf(openBundle(folder))).id).toBe('bundle-file-unreadable');
  });
});

describe('the header', () => {
  test.each([
    ['is in another order', 'provider,epoch,market,offered,served'],
    ['lacks a column', 'epoch,provider,market,offered'],
    ['has one more', 'epoch,provider,market,offered,served,note'],
    ['is written otherwise', 'Epoch,Provider,Market,Offered,Served'],
    ['has a space', 'epoch, provider,market,offered,served'],
    ['has two names in one cell', 'epoch,provider,market,"offered,served"'],
    ['is of another table', HEADERS.demand],
  ])('is refused alone where it %s', async (_name, header) => {
    const error = await bundleErrorOf(rowsOf('capacity', `${header}\n5,p 1,gpu,-1,x\n`));
    expect(error.refused).toMatchObject([
      { file: 'capacity.csv', line: 1, column: null, reason: 'is not the header of this table' },
    ]);
    expect(error.refused[0]?.todo).toContain(HEADERS.capacity);
  });

  test.each([
    ['nothing', ''],
    ['a byte order mark alone', '\ufeff'],
  ])('is missed in a file with %s', async (_name, content) => {
    const error = await bundleErrorOf(rowsOf('capacity', content));
    expect(error.refused).toMatchObject([{ line: 1, reason: 'is missing: the file is empty' }]);
  });

  test('is refused alone, however long the file', async () => {
    const error = await bundleErrorOf(rowsOf('capacity', `wrong\n${'5,p 1,gpu,-1,x\n'.repeat(100_000)}`));
    expect([error.refused.length, error.refusedInAll]).toEqual([1, 1]);
  });

  test('is looked for on line 1 only', async () => {
    const error = await bundleErrorOf(rowsOf('capacity', `\n${CAPACITY}`));
    expect(error.refused).toMatchObject([{ line: 1, reason: 'is a blank line' }]);
  });

  test('may be quoted, and may follow a byte order mark', async () => {
    const header = HEADERS.capacity.replaceAll(/\w+/g, '"$&"');
    expect(await rowsOf('capacity', `\ufeff${CAPACITY.replace(HEADERS.capacity, header)}`)).toEqual(ROWS);
  });

  test('alone is an empty table', async () => {
    expect(await rowsOf('capacity', HEADERS.capacity)).toEqual([]);
  });
});

describe('the files', () => {
  test.each([
    ['CRLF', CAPACITY.replaceAll('\n', '\r\n')],
    ['no newline at the end', CAPACITY.slice(0, -1)],
    ['quotes', CAPACITY.replaceAll(/p\d/g, '"$&"')],
  ])('may have %s', async (_name, content) => {
    expect(await rowsOf('capacity', content)).toEqual(ROWS);
  });

  const compressed = gzipSync(CAPACITY.repeat(200));

  test.each([
    ['cut off in its data', compressed.subarray(0, compressed.length >> 1)],
    ['cut off in its check sum', compressed.subarray(0, compressed.length - 3)],
    [
      'changed in its check sum',
      Buffer.concat([compressed.subarray(0, -8), Buffer.from([9]), compressed.subarray(-7)]),
    ],
    ['followed by something else', Buffer.concat([compressed, Buffer.from('5,p9,gpu,1,1\n')])],
    ['no gzip at all', Buffer.from(CAPACITY)],
    ['empty', Buffer.alloc(0)],
  ])('a gzipped file that is %s is named', async (_name, content) => {
    const folder = bundleFolder({ 'capacity.csv': null, 'capacity.csv.gz': content });
    const error = await bundleErrorOf(readAll(folder, 'capacity'));
    expect(error.id).toBe('bundle-file-unreadable');
    expect(error.what).toContain('capacity.csv.gz cannot be read: ');
    expect(error.where).toBe(join(folder, 'capacity.csv.gz'));
  });

  test('rows refused in a gzipped file are named by its full name', async () => {
    const content = gzipSync(`${CAPACITY}x,p1,gpu,1,1\n`);
    const folder = bundleFolder({ 'capacity.csv': null, 'capacity.csv.gz': content });
    const error = await bundleErrorOf(readAll(folder, 'capacity'));
    expect(error.refused).toMatchObject([{ file: 'capacity.csv.gz', line: 4, column: 'epoch' }]);
  });

  test('a gzipped file of several members is read to its end', async () => {
    const [head, tail] = [CAPACITY.slice(0, 50), CAPACITY.slice(50)];
    const content = Buffer.concat([gzipSync(head), gzipSync(tail)]);
    const folder = bundleFolder({ 'capacity.csv': null, 'capacity.csv.gz': content });
    expect(await readAll(folder, 'capacity')).toEqual(ROWS);
  });

  test('a file that vanishes after the bundle was opened is named', async () => {
    const folder = bundleFolder({ 'capacity.csv': CAPACITY });
    const bundle = await openBundle(folder);
    renameSync(join(folder, 'capacity.csv'), join(folder, 'gone'));
    const error = await bundleErrorOf(readTable(bundle, 'capacity').next());
    expect(error.id).toBe('bundle-file-unreadable');
    expect(error.what).toContain('ENOENT');
  });

  test('a table larger than a chunk comes in batches, each row once and in order, with its line', async () => {
    const count = 30_000;
    const lines = Array.from({ length: count }, (_, i) => `5,provider-${i},gpu.v100,${i}.5,0\n`);
    const bundle = await openBundle(bundleFolder({ 'capacity.csv': `${HEADERS.capacity}\n${lines.join('')}` }));
    let next = 0;
    let batches = 0;
    for await (const rows of readTable(bundle, 'capacity')) {
      batches++;
      for (const { line, values } of rows) {
        if (line !== next + 2 || values[1] !== `provider-${next}` || values[3] !== `${next}.5`) {
          throw new Error(`line ${line} is ${values}`);
        }
        next++;
      }
    }
    expect(next).toBe(count);
    expect(batches).toBeGreaterThan(2);
  });

  test('after a refused row no further batch is handed out', async () => {
    const good = '5,provider,gpu.v100,1,0\n'.repeat(30_000);
    const file = `${HEADERS.capacity}\nx,p,gpu,1,1\n${good}y,p,gpu,1,1\n`;
    const bundle = await openBundle(bundleFolder({ 'capacity.csv': file }));
    let batches = 0;
    const error = await bundleErrorOf(
      (async () => {
        for await (const _rows of readTable(bundle, 'capacity')) batches++;
      })(),
    );
    expect(batches).toBe(0);
    expect(error.refused.map(({ line }) => line)).toEqual([2, 30_003]);
  });

  test('leaving off early closes the file', async () => {
    const good = '5,provider,gpu.v100,1,0\n'.repeat(100_000);
    const content = gzipSync(`${HEADERS.capacity}\n${good}`);
    const bundle = await openBundle(bundleFolder({ 'capacity.csv': null, 'capacity.csv.gz': content }));
    for await (const rows of readTable(bundle, 'capacity')) {
      expect(rows.length).toBeGreaterThan(0);
      break;
    }
    // The file can be replaced and read again; jest reports a handle that stays open.
    writeFileSync(bundle.files.capacity.path, gzipSync(CAPACITY));
    expect(await readAll(bundle.folder, 'capacity')).toEqual(ROWS);
  });
});

describe('a whole bundle', () => {
  test('is counted table by table', async () => {
    const bundle = await openBundle(bundleFolder({ 'capacity.csv': CAPACITY }));
    expect(await checkBundle(bundle)).toEqual({
      providers: 0,
      capacity: 2,
      performance: 0,
      demand: 0,
      quotes: 0,
      token: 0,
      macro: 0,
    });
  });

  test('tells what is wrong in every file at once', async () => {
    const folder = bundleFolder({
      'providers.csv': `${HEADERS.providers}\np1,0,gone,\n`,
      'macro.csv': `${HEADERS.macro}\n5,1\n6,0\n`,
    });
    const error = await bundleErrorOf(openBundle(folder).then(checkBundle));
    expect(error.refused).toMatchObject([
      { file: 'providers.csv', line: 2, column: 'status' },
      { file: 'macro.csv', line: 3, column: 'index' },
    ]);
    expect(error.refusedInAll).toBe(2);
  });
});

describe('lines for COPY', () => {
  test('empty cells are unquoted, so that they are NULL', () => {
    expect(copyCsvLine(['5', 'p1', '', '0.5', ''])).toBe('5,p1,,0.5,\n');
  });

  test.each(['a\tb', 'a\nb', 'a,b', 'a"b', '\\.', 'a b', 'é'])('a cell with %j never becomes one', (cell) => {
    expect(() => copyCsvLine(['5', cell])).toThrow(expect.objectContaining({ id: 'unsafe-cell' }));
  });
});

import { cp, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { MANIFEST_FILE } from '../../src/archives/manifest';
import { checkOf } from '../../src/archives/read-archive';
import { attachArchive } from '../../src/commands/attach-archive';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

let database: TestDatabase;
let network: string;
beforeAll(async () => {
  database = await freshDatabase();
  network = await networkAcross(database, {}, 'altered');
  await settleEpochs(database, network, FIRST, FIRST + 2);
});
afterAll(() => database.close());

const context = () => ({ pool: database.operator, actor: 'olivia' });
const attach = (folder: string) => attachArchive(context(), { folder, reason: 'a test', requestId: null });

/** Changes lines of a file of a copy. */
async function rewritten(folder: string, file: string, change: (lines: string[]) => void): Promise<void> {
  const lines = gunzipSync(await readFile(join(folder, file)))
    .toString()
    .split('\n');
  change(lines);
  await writeFile(join(folder, file), gzipSync(lines.join('\n')));
}

const payoutOf = (lines: readonly string[], provider: string) =>
  lines.findIndex((line) => line.startsWith(`altered,${FIRST},1,1,${provider},`));

/** Another amount for a provider, and whatever makes the line look well. */
function forge(lines: string[], withCheck: boolean): number {
  const place = payoutOf(lines, 'p2');
  const cells = lines[place]!.split(',').slice(0, -1);
  const more = (cell: string) => String(BigInt(cell) + 1n);
  const forged = cells.map((cell, index) => (index === 5 || index === 8 ? more(cell) : cell)).join(',');
  lines[place] = `${forged},${withCheck ? checkOf(forged) : lines[place]!.split(',').at(-1)}`;
  return place + 1;
}

test('an altered archive is refused, by file, line and row, and nothing comes back', () =>
  withFolder(async (out) => {
    const { folder: original } = await archived(database, out);
    const copies = { number: 0 };
    const copy = async () => {
      const folder = join(out, `copy-${++copies.number}`);
      await cp(original!, folder, { recursive: true });
      return folder;
    };

    const value = await copy();
    let line = 0;
    await rewritten(value, 'payout.csv.gz', (lines) => {
      line = forge(lines, false);
    });
    await expect(attach(value)).rejects.toMatchObject({
      id: 'archive-altered',
      what: expect.stringContaining(`network altered, epoch ${FIRST}, revision 1, computation 1, provider p2`),
      where: `${join(value, 'payout.csv.gz')}, line ${line}`,
    });

    const both = await copy();
    await rewritten(both, 'payout.csv.gz', (lines) => {
      forge(lines, true);
    });
    await expect(attach(both)).rejects.toMatchObject({
      id: 'archive-altered',
      what: expect.stringContaining(`The rows of epoch ${FIRST} of network altered are not those of the manifest`),
    });

    const manifest = await copy();
    const text = await readFile(join(manifest, MANIFEST_FILE), 'utf8');
    await writeFile(join(manifest, MANIFEST_FILE), text.replace(/"digest":"[0-9a-f]{4}/, '"digest":"0000'));
    await expect(attach(manifest)).rejects.toMatchObject({
      id: 'archive-altered',
      what: expect.stringContaining('not the one that epochs 0 to 255 left with'),
    });

    const cut = await copy();
    await truncate(join(cut, 'capacity.csv.gz'), 60);
    await expect(attach(cut)).rejects.toMatchObject({
      id: 'archive-altered',
      where: expect.stringContaining('capacity'),
    });

    const less = await copy();
    await rewritten(less, 'performance.csv.gz', (lines) => {
      lines.splice(1, 1);
    });
    await expect(attach(less)).rejects.toMatchObject({ id: 'archive-altered' });

    const injected = await copy();
    await rewritten(injected, 'capacity.csv.gz', (lines) => {
      const row = 'altered,254,p0,gpu,"1\r2",1';
      lines[1] = `${row},${checkOf(row)}`;
    });
    await expect(attach(injected)).rejects.toMatchObject({ id: 'archive-altered' });

    const left = await database.superuser.query(
      `select count(*) as n from pg_class where relnamespace = 'settle'::regnamespace and relname like 'returning%'`,
    );
    expect(left.rows).toEqual([{ n: 0 }]);

    // Packed otherwise, and the same rows: nothing is wrong with that.
    const repacked = await copy();
    await writeFile(
      join(repacked, 'payout.csv.gz'),
      gzipSync(gunzipSync(await readFile(join(repacked, 'payout.csv.gz'))), { level: 1 }),
    );
    expect(await attach(repacked)).toMatchObject({ first: 0, last: 255, already: false });
    expect(await attach(repacked)).toMatchObject({ already: true });
  }));

test('the database takes no other rows than those that left, whoever copies them', () =>
  withFolder(async (out) => {
    await archived(database, out);
    const client = await database.operator.connect();
    try {
      await client.query('begin');
      await client.query('select settle.open_partition_return(0)');
      await client.query(`insert into settle.returning_capacity_0 values ('altered', $1, 'p0', 'gpu', 100, 100)`, [
        FIRST,
      ]);
      await expect(client.query(`select settle.attach_partition(0, 'olivia', 'a test', 'r')`)).rejects.toThrow(
        'the capacity rows of epoch 254 of network altered are not those that were archived',
      );
    } finally {
      await client.query('rollback');
      client.release();
    }
    expect(await attach(join(out, 'epochs-0-255'))).toMatchObject({ already: false });
  }));

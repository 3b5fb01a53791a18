import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaveNothing, testFolder } from '../stack/processes-of-test';
import { endAll, settle, writeBundle } from './settle-process';

// Whole stacks come and go here, on machines that do other things as well.
jest.setTimeout(240_000);

// Throw-away homes are made below the folder for temporary files, so this one shows whether they are removed.
const folder = testFolder();
const temporary = join(folder, 'tmp');
mkdirSync(temporary, { mode: 0o755 });
const { policy, folder: bundle } = writeBundle(folder);
const out = join(folder, 'out');

afterAll(async () => {
  await endAll();
  await leaveNothing(folder);
});

const once = (input: string, ...args: string[]) =>
  settle(['--once', '--input', input, '--policy', policy, ...args], { TMPDIR: temporary }).ended;

const csv = (name: string) =>
  readFileSync(join(out, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));

describe('settle --once --input --policy --holds release --out', () => {
  it('settles every epoch of the bundle and writes the three exports', async () => {
    const { exit, stdout, stderr } = await once(bundle, '--holds', 'release', '--out', out);
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
    const epochs = csv('epochs.csv').slice(1);
    expect(epochs.map(([epoch, revision]) => `${epoch}/${revision}`)).toEqual([
      '17/1',
      '18/1',
      '19/0',
      '20/1',
      '21/0',
      '22/1',
    ]);
    expect(epochs.map((row) => row[10])).toEqual([
      '',
      'priceChange;supplyDrop',
      'failed(incomplete-inputs)',
      'belowMinimumUptimeShare',
      'failed(incomplete-inputs)',
      'supplyDrop',
    ]);
    expect(csv('payouts.csv')[0]).toEqual(['epoch', 'provider', 'gross', 'cap_cut', 'scale_cut', 'amount', 'reason']);
    expect(csv('prices.csv')).toHaveLength(5);

    // The data alone is on stdout, and every amount in it is text.
    const report = JSON.parse(stdout) as { last_published: Record<string, unknown>; epochs: unknown };
    expect(report.epochs).toEqual({ published: 4, failed: { 'incomplete-inputs': 2 }, held: 0, open: 0 });
    for (const key of ['pool', 'sum', 'unallocated', 'token_price'])
      expect(typeof report.last_published[key]).toBe('string');
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      'Epochs 17..22 of swarm: 4 published, 2 failed (incomplete-inputs 2), 0 held, 0 open',
    );
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('skips and counts rows outside --epochs, and replaces no export that is there', async () => {
    const { exit, stderr } = await once(bundle, '--epochs', '17..17', '--out', out);
    expect(exit).toBe(3);
    expect(stderr).toMatch(/\d+ rows of other epochs were skipped/);
    expect(stderr).toMatch(/epochs\.csv|prices\.csv/);
    expect(stderr).toMatch(/--force/);
    expect(csv('epochs.csv')).toHaveLength(7);
  });
});

describe('a bundle with a bad row', () => {
  it('is refused with file and line, in colour where it is asked for, and nothing is written', async () => {
    const bad = join(folder, 'bad bundle');
    cpSync(bundle, bad, { recursive: true });
    const macro = readFileSync(join(bad, 'macro.csv'), 'utf8').trimEnd().split(/\r?\n/);
    macro.splice(2, 0, '17,-1');
    writeFileSync(join(bad, 'macro.csv'), `${macro.join('\n')}\n`);
    const { exit, stdout, stderr } = await once(bad, '--out', join(folder, 'none'));
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toMatch(/macro\.csv:3: index "-1" is out of range/);
    expect(stderr).not.toMatch(/ {4}at /);
    expect(readdirSync(folder)).not.toContain('none');
    expect(readdirSync(temporary)).toEqual([]);
  });
});

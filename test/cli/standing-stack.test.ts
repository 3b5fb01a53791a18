import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { leaveNothing, processesMentioning, testFolder } from '../stack/processes-of-test';
import { endAll, type Running, settle, writeBundle } from './settle-process';

// Whole stacks come and go here, on machines that do other things as well.
jest.setTimeout(240_000);

// One stack that stays up, with the epochs 17 to 22 and a hold on 18; the other commands join it.
const folder = testFolder();
const temporary = join(folder, 'tmp');
mkdirSync(temporary, { mode: 0o755 });
const { policy, folder: bundle } = writeBundle(folder);
let stack: Running;
let home: string;

beforeAll(async () => {
  stack = settle(['--input', bundle, '--policy', policy], { TMPDIR: temporary });
  home = /SETTLE_HOME=(.+)/.exec(await stack.says(/SETTLE_HOME=.+\n/))?.[1] ?? '';
  await stack.says(/Staying up/);
}, 240_000);

afterAll(async () => {
  await endAll();
  await leaveNothing(folder);
});

const ended = (...args: string[]) => settle(args, { SETTLE_HOME: home }).ended;

async function json<T>(...args: string[]): Promise<T> {
  const { stdout } = await ended(...args);
  return JSON.parse(stdout) as T;
}

interface HoldRow {
  readonly epoch: number;
  readonly content_digest: string;
  readonly breakers: string;
}

describe('a second start on a home in use', () => {
  it('says whose it is and exits with 3', async () => {
    const { exit, stderr } = await ended('start', '--once');
    expect(exit).toBe(3);
    expect(stderr).toMatch(/Already running: process \d+ has been using this home since/);
  });
});

describe('settle import --dry-run', () => {
  it('counts what it would do and keeps nothing', async () => {
    const rows = await json<{ table: string; added: number; repeated: number; read: number }[]>(
      'import',
      bundle,
      '--dry-run',
    );
    expect(rows.map(({ table }) => table)).toEqual([
      'providers',
      'capacity',
      'performance',
      'demand',
      'quotes',
      'token',
      'macro',
    ]);
    expect(rows.every((row) => row.added === 0 && row.repeated === row.read)).toBe(true);
  });
});

describe('settle network list', () => {
  it('prints JSON and CSV, and a table without colours where NO_COLOR is set', async () => {
    const [row] = await json<{ network: string; first_epoch: number }[]>('network', 'list');
    expect(row).toMatchObject({ network: 'swarm', first_epoch: 17, last_epoch: 22, holds: 'wait' });
    expect((await ended('network', 'list', '-o', 'csv')).stdout).toMatch(/^network,first_epoch,.*\nswarm,17,22,/);
    const env = { SETTLE_HOME: home, FORCE_COLOR: '1', NO_COLOR: '1' };
    const plain = await settle(['network', 'list', '-o', 'table'], env).ended;
    expect(plain.stdout).toMatch(/^Network {2,}First/);
    expect(plain.stdout).not.toContain('\u001b');
  });

  it('names the networks that there are where one is unknown', async () => {
    const { exit, stderr } = await ended('hold', 'list', '--network', 'swam');
    expect(exit).toBe(1);
    expect(stderr).toMatch(/network swam is not known here; known: swarm/);
  });
});

describe('a hold', () => {
  it('is not approved by a digest that is not the held one', async () => {
    const { exit, stderr } = await ended('hold', 'approve', '18', '--reason', 'looked at', '--digest', '0'.repeat(64));
    expect(exit).toBe(6);
    expect(stderr).toMatch(/is held with the content digest [0-9a-f]{64}/);
  });

  it('is published once it is approved, and the next epochs are settled', async () => {
    const [hold] = await json<HoldRow[]>('hold', 'list');
    expect(hold).toMatchObject({ epoch: 18, breakers: expect.stringMatching(/priceChange .* limit/) });
    const decided = await json('hold', 'approve', '18', '--reason', 'looked at', '--digest', hold!.content_digest);
    expect(decided).toMatchObject({ epoch: 18, outcome: 'published', content_digest: hold!.content_digest });
    expect((await json<HoldRow[]>('hold', 'list')).map(({ epoch }) => epoch)).toEqual([20]);
  });

  it('cannot be decided twice', async () => {
    const { exit, stderr } = await ended('hold', 'reject', '18', '--reason', 'too late');
    expect(exit).toBe(3);
    expect(stderr).toMatch(/is approved already, by /);
  });
});

describe('settle epoch run', () => {
  it('skips what is closed and says so', async () => {
    const { exit, stdout, stderr } = await ended('epoch', 'run', '17..18');
    expect(exit).toBe(0);
    expect(stderr).toMatch(/Skipped 17\.\.18: closed already/);
    expect((JSON.parse(stdout) as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'published',
      'published',
    ]);
  });

  it('exits with 6 at a hold, and with 1 outside the calendar', async () => {
    expect(await ended('epoch', 'run', '17..22')).toMatchObject({
      exit: 6,
      stderr: expect.stringMatching(/Epoch 20 waits/),
    });
    expect(await ended('epoch', 'run', '17..23')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/epochs 17 to 22/),
    });
  });
});

describe('settle epoch fail', () => {
  it('closes open epochs in order, with who and why, and what it held with them', async () => {
    expect(await ended('epoch', 'fail', '22', '--reason', 'a test')).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/epoch 20 is still open/),
    });
    const { exit, stdout, stderr } = await ended('epoch', 'fail', '19..20', '--reason', 'a test');
    expect({ exit, stderr: stderr.match(/Closed 20 as failed\(rejected\)/)?.[0] }).toEqual({
      exit: 0,
      stderr: 'Closed 20 as failed(rejected)',
    });
    expect((JSON.parse(stdout) as { outcome: string }[]).map(({ outcome }) => outcome)).toEqual([
      'failed(incomplete-inputs)',
      'failed(rejected)',
    ]);
    expect(await json('hold', 'list')).toEqual([]);
  });

  it('leaves the rest to be settled, by a person who then cannot approve it alone', async () => {
    expect(await ended('epoch', 'run', '21..22')).toMatchObject({ exit: 6 });
    const { exit, stderr } = await ended('hold', 'approve', '22', '--reason', 'my own');
    expect(exit).toBe(6);
    expect(stderr).toMatch(/somebody else has to approve/);
  });
});

describe('settle schedule', () => {
  it('is created once, keeps its pause, and knows when it will fire', async () => {
    expect(await json('schedule', 'status')).toMatchObject({ exists: false });
    expect((await ended('schedule', 'apply')).stderr).toMatch(/was created/);
    expect((await ended('schedule', 'pause', '--reason', 'a test')).exit).toBe(0);
    expect((await ended('schedule', 'apply')).stderr).toMatch(/was so already/);
    expect(await json('schedule', 'status')).toMatchObject({
      exists: true,
      paused: true,
      differs: [],
      id: 'settle/swarm',
    });
    expect((await ended('schedule', 'resume', '--reason', 'a test')).exit).toBe(0);
    const { next } = await json<{ next: string[] }>('schedule', 'status');
    expect(Date.parse(next[0] ?? '')).toBeGreaterThan(Date.now() - 1000);
  });
});

describe('Ctrl-C on a stack that stays up', () => {
  it('is its orderly end: exit 0, no process and no home left', async () => {
    stack.signal('SIGINT');
    expect((await stack.ended).exit).toBe(0);
    expect(processesMentioning(folder)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { leaveNothing, processesMentioning, testFolder } from '../stack/processes-of-test';
import { type Ended, endAll, settle } from './settle-process';

const folder = testFolder();
const home = join(folder, 'home');
const heads = join(home, 'heads.log');

afterAll(async () => {
  await endAll();
  await leaveNothing(folder);
});

const published = () => (existsSync(heads) ? readFileSync(heads, 'utf8').trimEnd().split('\n') : []);

/** Starts the sample and presses Ctrl-C, or worse, once so many epochs are published. */
async function startInterrupted(count: number, signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
  const run = settle(['start', '--once'], { SETTLE_HOME: home });
  let over = false;
  void run.ended.then(() => {
    over = true;
  });
  while (published().length < count && !over) await sleep(100);
  run.signal(signal);
  return run.ended;
}

describe('Ctrl-C in the middle of the sample', () => {
  it('ends in order with 130, and the next start goes on where it was', async () => {
    const first = await startInterrupted(2);
    expect(first).toMatchObject({
      exit: 130,
      stdout: '',
      stderr: expect.stringMatching(/Interrupted\. What was committed is kept/),
    });
    expect(processesMentioning(folder)).toEqual([]);

    const before = published();
    const second = await startInterrupted(before.length + 1);
    expect(second.exit).toBe(130);
    expect(second.stderr).toMatch(/every row was loaded before/);
    expect(second.stderr).toMatch(/Epochs 0(\.\.\d+)? are closed already and are skipped; going on with \d+/);
    expect(published().slice(0, before.length)).toEqual(before);
    expect(processesMentioning(folder)).toEqual([]);
  }, 240_000);

  it('goes on after a kill -9 too, without waiting for what the dead process was doing', async () => {
    const before = published();
    const killed = await startInterrupted(before.length + 2, 'SIGKILL');
    expect(killed.exit).toBeNull();
    const then = published();
    const next = await startInterrupted(then.length + 2);
    expect(next).toMatchObject({ exit: 130, stderr: expect.stringMatching(/closed already and are skipped/) });
    expect(published().slice(0, then.length)).toEqual(then);
    expect(processesMentioning(folder)).toEqual([]);
  }, 240_000);
});

import { readdirSync, readlinkSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scratchFile } from '../../src/worker/scratch';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const text = (taken: Uint8Array | null) => (taken === null ? null : Buffer.from(taken).toString());

test('what was kept is taken once, to the byte', async () => {
  const scratch = scratchFile();
  await Promise.all(['one', 'two', 'three', ''].map((each) => scratch.keep(each, bytes(`of ${each}`))));
  for (const each of ['three', '', 'one', 'two']) {
    expect(text(await scratch.take(each))).toBe(`of ${each}`);
    expect(await scratch.take(each)).toBeNull();
  }
  expect(await scratch.take('four')).toBeNull();
});

test('a second attempt replaces what the first one kept', async () => {
  const scratch = scratchFile();
  await scratch.keep('chunk', bytes('first'));
  await scratch.keep('chunk', bytes('second attempt'));
  expect(text(await scratch.take('chunk'))).toBe('second attempt');
});

test('beyond its room it forgets what came before, and never gives anything else for it', async () => {
  const scratch = scratchFile(100);
  for (let n = 0; n < 50; n += 1) await scratch.keep(`chunk ${n}`, bytes(`${n}`.padStart(30, '.')));
  const found = await Promise.all(Array.from({ length: 50 }, (_, n) => scratch.take(`chunk ${n}`)));
  expect(text(found[49]!)).toBe('49'.padStart(30, '.'));
  expect(found.filter((one) => one !== null).length).toBeLessThanOrEqual(3);
  for (const [n, one] of found.entries()) if (one !== null) expect(text(one)).toBe(`${n}`.padStart(30, '.'));
  await scratch.keep('too large', new Uint8Array(101));
  expect(await scratch.take('too large')).toBeNull();
});

test('what others leave behind does not fill it for ever', async () => {
  const scratch = scratchFile(100);
  for (let round = 0; round < 20; round += 1) {
    await scratch.keep(`left ${round}`, new Uint8Array(40));
    await scratch.keep(`wanted ${round}`, bytes(`round ${round}`));
    expect(text(await scratch.take(`wanted ${round}`))).toBe(`round ${round}`);
  }
});

test('its file has no name, and bytes that were changed in it are not given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scratch-test-'));
  try {
    const scratch = scratchFile(1000, folder);
    await scratch.keep('chunk', bytes('what was earned'));
    expect(readdirSync(folder)).toEqual([]);
    const own = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd).startsWith(folder));
    expect(own).toHaveLength(1);
    writeSync(Number(own[0]), 'X', 0);
    expect(await scratch.take('chunk')).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** The file behind a descriptor; Linux knows it also without a name. Empty: it was closed meanwhile. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

test('a folder that cannot be written to keeps nothing and hurts nobody', async () => {
  const scratch = scratchFile(1000, join(tmpdir(), 'there', 'is', 'none'));
  await scratch.keep('chunk', bytes('earned'));
  expect(await scratch.take('chunk')).toBeNull();
});

import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SeededBug, withBug } from './seeded-bug';

const ROOT = join(__dirname, '..', '..');

/** What the tests and the code under them read; node_modules are shared. */
const COPIED = [
  'src',
  'workflows',
  'activities',
  'test',
  'policies',
  'samples',
  'package.json',
  'jest.config.cjs',
  'tsconfig.json',
];

/** A throw-away copy of the sources, in which one bug after another is made and unmade. */
export interface SeededTree {
  readonly folder: string;
  /** Makes the bug, lets `work` look at it, and unmakes it. */
  withBug<T>(bug: SeededBug, work: () => Promise<T>): Promise<T>;
  remove(): Promise<void>;
}

export async function seededTree(): Promise<SeededTree> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-bugs-'));
  await Promise.all(COPIED.map((name) => cp(join(ROOT, name), join(folder, name), { recursive: true })));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await mkdir(join(folder, 'results'));
  return {
    folder,
    remove: () => rm(folder, { recursive: true, force: true }),
    async withBug(bug, work) {
      const file = join(folder, bug.file);
      const sound = await readFile(file, 'utf8');
      await writeFile(file, withBug(sound, bug));
      try {
        return await work();
      } finally {
        await writeFile(file, sound);
      }
    },
  };
}

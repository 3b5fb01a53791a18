import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A wall that no import can run into guards nothing: here is one import for each, in a project of its own. */

const ROOT = join(__dirname, '..', '..');

/** File, what it imports, and the wall that it must run into; null: it is allowed. */
type Case = readonly [file: string, code: string, wall: string | null];

const EVERY_IMPORT: readonly Case[] = [
  ['src/rulesets/1/a.ts', "import { readFileSync } from 'node:fs'; readFileSync('x');", 'pure-rooms-stay-pure'],
  ['src/proofs/b.ts', "import type { Pool } from 'pg'; export type P = Pool;", 'pure-rooms-stay-pure'],
  ['src/ledger/c.ts', "import { rows } from '../store/rows'; rows();", 'pure-rooms-stay-pure'],
  ['src/numbers/d.ts', "import { Decimal } from 'decimal.js'; new Decimal(1);", null],
  [
    'src/audit/second/e.ts',
    "import { number } from '../../numbers/number'; number();",
    'second-implementation-stands-alone',
  ],
  [
    'src/audit/second/f.ts',
    "import { readFileSync } from 'node:fs'; readFileSync('x');",
    'second-implementation-without-io',
  ],
  ['src/audit/second/g.ts', "import { createHash } from 'node:crypto'; createHash('sha256');", null],
  ['workflows/h.ts', "import { rows } from '../src/store/rows'; rows();", 'workflows-are-deterministic'],
  ['workflows/i.ts', "import { createHash } from 'node:crypto'; createHash('sha256');", 'workflows-are-deterministic'],
  ['workflows/j.ts', "import type { Ref } from '../activities/contracts'; export type R = Ref;", null],
  ['activities/k.ts', "import { run } from '../src/commands/run'; run();", 'activities-are-called-by-workflows'],
  ['src/queries/l.ts', "import { road } from '../../workflows/road'; road();", 'workflows-are-known-by-their-messages'],
  ['src/commands/m.ts', "import { say } from '../cli/say'; say();", 'faces-are-last'],
  ['src/store/n.ts', "import { run } from '../commands/run'; run();", 'store-serves'],
  ['src/exports/o.ts', "import { rows } from '../store/rows'; rows();", 'edges-know-no-database'],
  ['src/stack/p.ts', "import { rows } from '../store/rows'; rows();", 'stack-knows-no-settlement'],
  ['src/commands/q.ts', "import { world } from '../../test/world'; world();", 'tests-are-not-imported'],
  ['src/commands/r.ts', "import fc from 'fast-check'; fc.nat();", 'declared-dependencies-only'],
  ['src/commands/s.ts', "import { gone } from './gone'; gone();", 'resolvable'],
  ['src/commands/alone.ts', 'export const nobodyWantsMe = 1;', 'no-orphans'],
];

const VALUES: readonly Case[] = [
  ['src/queries/a.ts', "import { Pool } from 'pg'; new Pool();", 'database-in-the-store-only'],
  ['src/queries/b.ts', "import type { Pool } from 'pg'; export type P = Pool;", null],
  [
    'src/queries/c.ts',
    "import { Client } from '@temporalio/client'; new Client();",
    'temporal-client-in-commands-only',
  ],
  [
    'src/queries/d.ts',
    "import { Worker } from '@temporalio/worker'; Worker.create({} as never);",
    'worker-in-its-room',
  ],
  [
    'src/queries/e.ts',
    "import { QUEUE } from '../../workflows/messages'; QUEUE.trim();",
    'workflows-are-reached-by-commands',
  ],
  ['src/commands/f.ts', "import { QUEUE } from '../../workflows/messages'; QUEUE.trim();", null],
  ['workflows/g.ts', "import { act } from '../activities/contracts'; act();", 'workflows-load-no-activity'],
  ['src/audit/verify.ts', "import { deep } from './deep'; deep();", 'verification-runs-anywhere'],
  ['src/store/circle.ts', "import { rows } from './rows'; export const circle = () => rows();", 'no-circles'],
];

/** What the cases import. */
const SURROUNDINGS: Readonly<Record<string, string>> = {
  'src/numbers/number.ts': 'export const number = () => 1;',
  'src/store/rows.ts': "import { circle } from './circle'; export const rows = (): unknown => circle();",
  'src/store/circle.ts': 'export const circle = () => 1;',
  'src/audit/deep.ts': "import { readFileSync } from 'node:fs'; export const deep = () => readFileSync('x');",
  'src/commands/run.ts': 'export const run = () => 1;',
  'src/cli/say.ts': 'export const say = () => 1;',
  'activities/contracts.ts': 'export interface Ref { readonly x: 1 } export const act = () => 1;',
  'workflows/road.ts': 'export const road = () => 1;',
  'workflows/messages.ts': "export const QUEUE = 'queue';",
  'test/world.ts': 'export const world = () => 1;',
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe('the walls of .dependency-cruiser.cjs', () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** Makes a project of the cases and returns what the walls say about each file. */
  function wallsOf(pass: 'all' | 'values', cases: readonly Case[]): Map<string, string[]> {
    const folder = mkdtempSync(join(tmpdir(), 'settle-walls-'));
    folders.push(folder);
    const files = { ...SURROUNDINGS, ...Object.fromEntries(cases.map(([file, code]) => [file, code])) };
    for (const [file, code] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `${code}\n`);
    }
    for (const file of ['.dependency-cruiser.cjs', 'babel.walls.json', 'package.json']) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
        ...['--output-type', 'json', '--preserve-symlinks', 'src', 'workflows', 'activities'],
      ],
      { cwd: folder, env: { ...process.env, WALLS: pass }, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
    );
    if (!stdout.startsWith('{')) throw new Error(stderr);
    const found = new Map<string, string[]>();
    for (const { from, rule } of JSON.parse(stdout).summary.violations as Violation[]) {
      found.set(from, [...(found.get(from) ?? []), rule.name]);
    }
    return found;
  }

  let everyImport: Map<string, string[]>;
  let values: Map<string, string[]>;
  beforeAll(() => {
    everyImport = wallsOf('all', EVERY_IMPORT);
    values = wallsOf('values', VALUES);
  });

  test.each(EVERY_IMPORT)('every import: %s with %s meets %p', (file, _code, wall) => {
    const met = (everyImport.get(file) ?? []).filter((name) => name !== 'no-orphans' || wall === name);
    if (wall === null) expect(met).toEqual([]);
    else expect(met).toContain(wall);
  });

  test.each(VALUES)('values: %s with %s meets %p', (file, _code, wall) => {
    if (wall === null) expect(values.get(file) ?? []).toEqual([]);
    else expect(values.get(file)).toContain(wall);
  });
});

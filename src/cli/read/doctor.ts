import { join } from 'node:path';
import type { Command } from 'commander';
import type { Colors } from 'picocolors/types';
import type { Finding } from '../../diagnosis/findings';
import type { TemporalAddress } from '../../stack/stack';
import { CommandEnds, Interrupted } from '../errors';
import { EXIT } from '../exit-codes';
import { counted } from '../figures';
import type { Io } from '../io';
import { type Account, type Column, type Sheet, safeText } from '../output';
import { wrapped } from './layout';

export function register(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('look at everything that settling needs, and say what to do')
    .action(async () => {
      const findings = await examine(io);
      io.account(findingsAccount(findings, io.width));
      if (findings.some(({ outcome }) => outcome === 'fail')) throw new CommandEnds(EXIT.failed);
    });
}

async function examine(io: Io): Promise<readonly Finding[]> {
  const { defaultHome, homePaths } = await import('../../stack/home.js');
  const { machineFindings } = await import('../../diagnosis/machine.js');
  const paths = homePaths(defaultHome(io.env));
  // Before the database is opened: that may take the home, and then no other stack can be found on it.
  const temporal = await temporalAddress(io);
  const machine = await machineFindings(paths, io.env);
  const { databaseFindings } = await import('../../diagnosis/database.js');
  const { withDatabase } = await import('../open.js');
  const { temporalFindings } = await import('../../diagnosis/temporal.js');
  try {
    const rest = await withDatabase(
      io,
      async ({ pool }) => [
        ...(await databaseFindings(pool, join(paths.root, 'heads.log'))),
        ...(temporal === null ? [NO_TEMPORAL] : await temporalFindings(temporal, pool)),
      ],
      { role: 'settle_viewer' },
    );
    return [...machine, ...rest];
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const { fail, firstLine } = await import('../../diagnosis/findings.js');
    const todo = (error as { todo?: unknown }).todo;
    const advice = typeof todo === 'string' ? todo : 'start it, or correct DATABASE_URL.';
    const rest = temporal === null ? [NO_TEMPORAL] : await temporalFindings(temporal, null);
    return [...machine, fail('database', firstLine(error), advice), ...rest];
  }
}

const NO_TEMPORAL: Finding = {
  check: 'temporal',
  outcome: 'warn',
  found: 'no stack runs on this home, so its Temporal was not looked at',
  todo: 'start it with `npm start` in another terminal, and look again.',
};

/** The Temporal of the environment, or that of a stack that runs on this home. */
async function temporalAddress(io: Io): Promise<TemporalAddress | null> {
  const { externalTemporal } = await import('../../stack/external.js');
  const { joinStack } = await import('../../stack/stack.js');
  const { StackNotRunning } = await import('../../stack/errors.js');
  const external = await externalTemporal(io.env);
  if (external !== null) return { ...external, uiUrl: null };
  try {
    return (await joinStack(undefined, io.env)).temporal;
  } catch (error) {
    if (error instanceof StackNotRunning) return null;
    throw error;
  }
}

const COLUMNS: readonly Column<Finding>[] = [
  { key: 'check', type: 'id', value: ({ check }) => check },
  { key: 'outcome', type: 'id', value: ({ outcome }) => outcome },
  { key: 'found', type: 'text', value: ({ found }) => found },
  { key: 'todo', type: 'text', value: ({ todo }) => todo },
];

function findingsAccount(findings: readonly Finding[], width: number): Account {
  const sheet: Sheet<Finding> = { columns: COLUMNS, rows: findings, empty: '' };
  const counts = { ok: 0, warn: 0, fail: 0 };
  for (const { outcome } of findings) counts[outcome] += 1;
  return {
    value: { ...counts, findings },
    human: (colors) => findingsText(findings, counts, colors, width),
    sheet: sheet as unknown as Sheet<never>,
  };
}

function findingsText(
  findings: readonly Finding[],
  counts: Readonly<Record<Finding['outcome'], number>>,
  colors: Colors,
  width: number,
): string {
  const marks = { ok: colors.green('ok  '), warn: colors.yellow('warn'), fail: colors.red('FAIL') };
  const widest = Math.max(...findings.map(({ check }) => check.length));
  const indent = ' '.repeat(widest + 10);
  const lines = findings.flatMap(({ check, outcome, found, todo }) => {
    const text = wrapped(safeText(found), width - indent.length);
    const advice = todo === null ? [] : wrapped(`→ ${safeText(todo)}`, width - indent.length);
    const [first = '', ...rest] = text;
    return [
      `  ${marks[outcome]}  ${check.padEnd(widest)}  ${first}`.trimEnd(),
      ...rest.map((line) => indent + line),
      ...advice.map((line) => indent + colors.dim(line)),
    ];
  });
  const summary = [
    `${counted(counts.ok, 'check')} passed`,
    `${counts.warn} with a warning`,
    counts.fail > 0 ? colors.red(`${counts.fail} failed`) : '0 failed',
  ].join(', ');
  return [...lines, '', summary].join('\n');
}

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Colors } from 'picocolors/types';
import { CHECKS, type CheckOutcome } from '../audit/outcomes';
import { replayAside } from '../worker/replay-aside';
import { type EpochRange, rangeArgument } from './arguments';
import { CommandEnds } from './errors';
import { EXIT } from './exit-codes';
import { archiveOption, networkOption } from './groups';
import type { Io } from './io';
import { broughtFor, withDatabase } from './open';
import { type Column, type Sheet, safeText } from './output';

/** Whose rights an audit needs: only auditors read the audit log. */
export const AUDITOR = { role: 'settle_auditor' } as const;

/** `settle audit EPOCH|A..B`: believes nothing and makes all of it again. */
export function register(program: Command, io: Io): void {
  program
    .command('audit')
    .description('check published epochs from their sealed rows to the chain; exit 5 on a failing check')
    .argument('<epochs>', 'one epoch, or A..B', rangeArgument)
    .addOption(networkOption())
    .addOption(archiveOption())
    .option('--witness <file>', 'heads kept outside the database (default: heads.log of the home)')
    .action(async (range: EpochRange, options: { network: string; witness?: string; archive?: readonly string[] }) => {
      const { auditEpochs } = await import('../commands/audit-epochs.js');
      const { nodeHashes } = await import('../hashing/node-hashes.js');
      await withDatabase(
        io,
        async (session) => {
          const file = options.witness ?? join(session.home, 'heads.log');
          const witness = options.witness !== undefined || existsSync(file) ? await readFile(file, 'utf8') : null;
          const aside = replayAside();
          const tools = { hashes: await nodeHashes(), witness, replay: aside.replay };
          const outcomes = await auditEpochs(session, options.network, range, tools).finally(aside.close);
          const holds = outcomes.every(({ outcome }) => outcome !== 'failed');
          io.account({
            value: { network: options.network, first: range.first, last: range.last, holds, checks: outcomes },
            human: (colors) => outcomesText(outcomes, colors),
            sheet: outcomesSheet(outcomes) as unknown as Sheet<never>,
          });
          if (!holds) throw new CommandEnds(EXIT.mismatch);
        },
        { ...AUDITOR, ...broughtFor(options.archive, { network: options.network, ...range, allPayouts: true }) },
      );
    });
}

const COLUMNS: readonly Column<CheckOutcome>[] = [
  { key: 'check', title: 'Check', type: 'id', value: (o) => o.check },
  { key: 'epoch', title: 'Epoch', type: 'count', value: (o) => o.epoch },
  { key: 'revision', title: 'Revision', type: 'count', value: (o) => o.revision },
  { key: 'outcome', title: 'Outcome', type: 'id', value: (o) => o.outcome },
  { key: 'detail', title: 'What was compared', type: 'text', value: (o) => o.detail },
  { key: 'table', type: 'id', value: (o) => o.difference?.table ?? null },
  { key: 'row', type: 'text', value: (o) => o.difference?.row ?? null },
  { key: 'column', type: 'text', value: (o) => o.difference?.column ?? null },
  { key: 'stored', type: 'text', value: (o) => o.difference?.stored ?? null },
  { key: 'recomputed', type: 'text', value: (o) => o.difference?.recomputed ?? null },
];

export function outcomesSheet(outcomes: readonly CheckOutcome[]): Sheet<CheckOutcome> {
  return { columns: COLUMNS, rows: outcomes, empty: 'Nothing was checked.' };
}

/** A line for each check, and below it whatever failed or was skipped, each reason once. */
export function outcomesText(outcomes: readonly CheckOutcome[], colors: Colors): string {
  const lines = CHECKS.flatMap((check) => {
    const own = outcomes.filter((outcome) => outcome.check === check);
    if (own.length === 0) return [];
    const failed = own.filter(({ outcome }) => outcome === 'failed');
    const skipped = own.filter(({ outcome }) => outcome === 'skipped');
    const ok = own.length - failed.length - skipped.length;
    const mark = failed.length > 0 ? colors.red('failed') : ok > 0 ? colors.green('ok') : colors.yellow('skipped');
    const counts = `${ok} ok, ${failed.length} failed, ${skipped.length} skipped`;
    const said = own.length === 1 && failed.length === 0 ? safeText(own[0]!.detail) : counts;
    return [
      `${colors.bold(check.padEnd(10))} ${mark}  ${said}`,
      ...failed.slice(0, FAILURES_SHOWN).map((one) => `    ${whereOf(one)}${safeText(one.detail)}`),
      ...(failed.length > FAILURES_SHOWN
        ? [`    and ${failed.length - FAILURES_SHOWN} more: see them all with -o jsonl`]
        : []),
      ...(own.length > 1
        ? [...new Set(skipped.map(({ detail }) => detail))].slice(0, 3).map((why) => `    ${safeText(why)}`)
        : []),
    ];
  });
  return lines.join('\n');
}

const FAILURES_SHOWN = 5;

function whereOf({ epoch, revision }: CheckOutcome): string {
  if (epoch === null) return '';
  return revision === null || revision === 1 ? `epoch ${epoch}: ` : `epoch ${epoch} revision ${revision}: `;
}

import { EXPLAINED } from './explained';
import { type FileResult, scoreOf } from './results';
import { ROOMS } from './rooms';

/** A room's figures as they were measured last, kept in test/mutation/measured.json. */
export type Measured = Readonly<Record<string, readonly FileResult[]>>;

const percent = (files: readonly FileResult[]) => `${scoreOf(files).toFixed(1)} %`;
const row = (...cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`;
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``;

/** docs/mutation.md, as the figures that were measured make it. */
export function mutationPage(measured: Measured): string {
  const rooms = ROOMS.filter((room) => room in measured);
  const files = rooms.flatMap((room) => measured[room]!);
  const left = ROOMS.filter((room) => !(room in measured));
  const reasons = EXPLAINED.filter(({ file }) => files.some((one) => one.file === file));
  return [
    '# Mutation score',
    '',
    'Stryker changes the pure rooms in one place after another and runs the tests of the room: a change that no test',
    'notices survives. Written by `npm run mutation`; `npm run mutation -- --rooms numbers,ledger` measures some rooms and',
    'leaves the figures of the others. Texts for people are not mutated (ignored); a survivor counts as one whether it is',
    'explained below or not. It fails under 90 %, and with a survivor that nobody explained.',
    '',
    left.length === 0
      ? `All pure rooms: **${percent(files)}**.`
      : `**Partial**: measured are ${rooms.map(code).join(', ')}, together **${percent(files)}**. Not measured yet: ${left.map(code).join(', ')}.`,
    '',
    '| file | score | killed | timed out | survived | of them explained | ignored |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...files.map((one) =>
      row(code(one.file), percent([one]), one.killed, one.timeout, one.survived, one.explained, one.ignored),
    ),
    '',
    '## Survivors, and why',
    '',
    '| file | line | instead | why |',
    '| --- | --- | --- | --- |',
    ...reasons.map(({ file, line, replacement, reason }) => row(code(file), code(line), code(replacement), reason)),
    '',
  ].join('\n');
}

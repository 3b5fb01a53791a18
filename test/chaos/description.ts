import { COMMAND_POINTS, WORKER_POINTS } from './failpoints';
import { INVARIANTS } from './invariants';
import { KINDS } from './plan';

/** The chaos run in docs/reliability.md, as the code has it now. */
export function chaosDescription(): readonly string[] {
  return [
    '## The chaos run',
    '',
    '`npm run chaos -- --seed N --minutes M` starts PostgreSQL, Temporal, two workers and two operators as processes of their',
    'own, each server behind a TCP proxy, and does to them what a list says that the seed gives: the same seed, the same',
    `list of moments, faults and targets. ${KINDS.length} kinds of faults take turns: ${KINDS.join(', ')}.`,
    `A process dies at an offset or at one of ${WORKER_POINTS.length + COMMAND_POINTS.length} failpoints (\`test/chaos/failpoints.ts\`): before and after the`,
    'statements of activities and commands, before and after their calls to Temporal. Failpoints come from outside the',
    'product, so nothing switches them on where it runs. `npm run chaos -- --sweep` kills at every one of them once.',
    '',
    'In every round a network is settled, its hold approved, an epoch of the one before it disputed, and its dues paid,',
    'while seven faults happen. When all is whole and quiet again, the rows alone are asked for these invariants, and the',
    'network is settled once more beside it, undisturbed, and compared:',
    '',
    '| id | holds |',
    '| --- | --- |',
    ...INVARIANTS.map(({ id, says }) => `| ${id} | ${says} |`),
    '',
    'A test breaks rows against each of them and sees it named (`test/chaos/invariants.test.ts`). `never` stands for rows of',
    'poisoned batches, whose providers are called `never:…`.',
    '',
    'The run ends within a minute after its minutes; its last line says how many faults of each kind were survived. Exit',
    'code 0: every invariant held. 1: one did not, a sweep was not whole, or the run broke; the list, what was violated, the folder of the logs and',
    'the command that plays the round again (`--only 17,18` plays a part of the list) are printed. 2: it was asked for',
    'wrongly. It ends its own children alone, and leaves no process and no file but the logs of a failure.',
    '',
  ];
}

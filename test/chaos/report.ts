import type { Played } from './campaign';
import { type Fault, faultText, KINDS } from './plan';

/** One round in a line, and whatever went wrong in it. */
export function roundText({ round, happened, missed, violations, judged, seconds }: Played): string {
  if (!judged) return `round ${round.number}: the minutes were over before it was quiet; its faults do not count`;
  const verdict =
    violations.length === 0 ? 'every invariant holds' : `VIOLATED: ${violations.map(({ id }) => id).join(', ')}`;
  const never =
    missed.length === 0
      ? ''
      : `, ${missed.length} found nothing to harm (${missed.map(({ number }) => `#${number}`).join(' ')})`;
  return `round ${round.number}: ${happened.length} faults${never}, quiet after ${seconds.toFixed(0)} s, ${verdict}`;
}

/** What was violated, the list that was played, where the logs are, and how to play a part of it again. */
export function failureText(
  failed: Played,
  played: readonly Played[],
  { seed, minutes, sweep }: { readonly seed: number; readonly minutes: number; readonly sweep: boolean },
  logs: string,
): string {
  const faults = played.flatMap(({ round }) => round.faults);
  const happened = new Set(played.flatMap((one) => one.happened.map(({ number }) => number)));
  const numbers = failed.round.faults.map(({ number }) => number);
  const line = (fault: Fault) => `  ${happened.has(fault.number) ? ' ' : '-'} ${faultText(fault)}`;
  return [
    'The list of faults that were played (- : it found nothing to harm):',
    ...faults.map(line),
    `Violated after round ${failed.round.number}:`,
    ...failed.violations.flatMap(({ id, says, found }) => [`  ${id}: ${says}`, ...found.map((one) => `      ${one}`)]),
    `Logs: ${logs}`,
    `Play the round again: npm run chaos -- --seed ${seed}${sweep ? ' --sweep' : ` --minutes ${minutes}`} --only ${numbers.join(',')}`,
  ].join('\n');
}

/** The last line: how many of each kind were survived. */
export function survivedText(played: readonly Played[], seconds: number): string {
  const survived = played.filter(({ violations }) => violations.length === 0).flatMap(({ happened }) => happened);
  const counts = KINDS.map((kind) => `${kind} ${survived.filter(({ harm }) => harm.kind === kind).length}`);
  return `survived ${survived.length} faults in ${(seconds / 60).toFixed(1)} minutes: ${counts.join(', ')}`;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mutant that no test can kill, or need kill, and why. Checked against what Stryker reports, so that it cannot rot. */
export interface ExplainedSurvivor {
  readonly file: string;
  /** The line of the source that it is in, without the spaces around. */
  readonly line: string;
  readonly mutator: string;
  /** What stands there instead. */
  readonly replacement: string;
  readonly reason: string;
}

/** Survivors of a file that have one reason, as explained-survivors.json has them. */
interface ExplainedTogether extends Pick<ExplainedSurvivor, 'file' | 'reason'> {
  readonly survivors: readonly Omit<ExplainedSurvivor, 'file' | 'reason'>[];
}

const together = JSON.parse(
  readFileSync(join(__dirname, 'explained-survivors.json'), 'utf8'),
) as readonly ExplainedTogether[];

export const EXPLAINED: readonly ExplainedSurvivor[] = together.flatMap(({ file, reason, survivors }) =>
  survivors.map((survivor) => ({ file, reason, ...survivor })),
);

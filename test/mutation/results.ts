import { EXPLAINED, type ExplainedSurvivor } from './explained';

/** What Stryker writes of a run, as far as it is read here. */
export interface MutationReport {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: string;
        readonly mutants: readonly {
          readonly mutatorName: string;
          readonly replacement?: string;
          readonly status: string;
          readonly location: { readonly start: { readonly line: number } };
        }[];
      }
    >
  >;
}

/** How the mutants of a file ended. */
export interface FileResult {
  readonly file: string;
  readonly killed: number;
  /** Killed by never ending. */
  readonly timeout: number;
  readonly survived: number;
  /** Of the survivors, those with a reason. */
  readonly explained: number;
  /** Prose. */
  readonly ignored: number;
}

export interface Survivor extends Omit<ExplainedSurvivor, 'reason'> {
  readonly lineNumber: number;
}

export interface RoomResult {
  readonly room: string;
  readonly files: readonly FileResult[];
  /** Nobody said why they may live. */
  readonly unexplained: readonly Survivor[];
  /** Explained, but not among the survivors of the files that were mutated: killed by now, or the line changed. */
  readonly stale: readonly ExplainedSurvivor[];
}

const explains = (reason: ExplainedSurvivor, survivor: Survivor): boolean =>
  reason.file === survivor.file &&
  reason.line === survivor.line &&
  reason.mutator === survivor.mutator &&
  reason.replacement === survivor.replacement;

export function roomResult(
  room: string,
  { files }: MutationReport,
  reasons: readonly ExplainedSurvivor[] = EXPLAINED,
): RoomResult {
  const survivors = Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map(({ mutatorName, replacement, location }): Survivor => {
        const lineNumber = location.start.line;
        return {
          file,
          line: lines[lineNumber - 1]!.trim(),
          lineNumber,
          mutator: mutatorName,
          replacement: replacement ?? '',
        };
      });
  });
  const isExplained = (survivor: Survivor) => reasons.some((reason) => explains(reason, survivor));
  return {
    room,
    files: Object.entries(files).map(([file, { mutants }]) => {
      const count = (...statuses: string[]) => mutants.filter(({ status }) => statuses.includes(status)).length;
      const own = survivors.filter((survivor) => survivor.file === file);
      return {
        file,
        // A mutant that breaks the loading of the tests was noticed as well.
        killed: count('Killed', 'RuntimeError', 'CompileError'),
        timeout: count('Timeout'),
        survived: own.length,
        explained: own.filter(isExplained).length,
        ignored: count('Ignored'),
      };
    }),
    unexplained: survivors.filter((survivor) => !isExplained(survivor)),
    stale: reasons.filter(
      (reason) => reason.file in files && !survivors.some((survivor) => explains(reason, survivor)),
    ),
  };
}

/** Killed of all that were run, in percent; the explained ones count as survivors. */
export function scoreOf(files: readonly FileResult[]): number {
  const sum = (of: (file: FileResult) => number) => files.reduce((total, file) => total + of(file), 0);
  const killed = sum(({ killed, timeout }) => killed + timeout);
  return (100 * killed) / (killed + sum(({ survived }) => survived));
}

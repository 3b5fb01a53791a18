/** A line of the witness file (heads.log): what was published, when it was published, outside the database. */
export interface WitnessedHead {
  readonly line: number;
  readonly epoch: number;
  readonly revision: number;
  readonly head: string;
}

/** Reads a witness file. A line that a crash cut short is passed over: the publication was witnessed again after it. */
export function readWitness(text: string): readonly WitnessedHead[] {
  return text.split('\n').flatMap((content, index) => {
    const found = /^([0-9]+) ([0-9]+) ([0-9a-f]{64})$/.exec(content);
    if (found === null) return [];
    return [{ line: index + 1, epoch: Number(found[1]), revision: Number(found[2]), head: found[3]! }];
  });
}

/**
 * `witness`: every witnessed head is in a chain of the database, for the epoch and revision that it was witnessed for.
 * @throws Error naming the first line whose head is not
 */
export function requireWitnessed(
  witnessed: readonly WitnessedHead[],
  known: ReadonlyMap<string, { readonly epoch: number; readonly revision: number }>,
): string {
  for (const { line, epoch, revision, head } of witnessed) {
    const found = known.get(head);
    if (found === undefined) {
      throw new Error(
        `line ${line}: head ${head} of epoch ${epoch} revision ${revision} was witnessed and is in no chain of this database: it was rolled back or rewritten`,
      );
    }
    if (found.epoch === epoch && found.revision === revision) continue;
    throw new Error(
      `line ${line}: head ${head} was witnessed for epoch ${epoch} revision ${revision}, the chain has it for epoch ${found.epoch} revision ${found.revision}`,
    );
  }
  return `${witnessed.length} witnessed heads are in the chain`;
}

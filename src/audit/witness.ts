/** A line that a witness keeps: what was published, when it was published, outside the database. */
export interface WitnessedHead {
  readonly line: number;
  /** null: the line does not say it, as in `heads.log`; the head itself is of one network alone. */
  readonly network: string | null;
  readonly epoch: number;
  readonly revision: number;
  readonly head: string;
}

/**
 * Reads what a witness kept: lines `epoch revision head` as in `heads.log`, or lines of JSON as every other witness is
 * told. A line that a crash cut short is passed over: the publication was witnessed again after it.
 */
export function readWitness(text: string): readonly WitnessedHead[] {
  return text.split('\n').flatMap((content, index) => {
    const found = content.startsWith('{') ? ofJson(content) : ofColumns(content);
    return found === null ? [] : [{ line: index + 1, ...found }];
  });
}

type Told = Omit<WitnessedHead, 'line'>;

function ofColumns(content: string): Told | null {
  const found = /^([0-9]+) ([0-9]+) ([0-9a-f]{64})\r?$/.exec(content);
  if (found === null) return null;
  return { network: null, epoch: Number(found[1]), revision: Number(found[2]), head: found[3]! };
}

function ofJson(content: string): Told | null {
  try {
    const { network, epoch, revision, head } = JSON.parse(content) as Record<string, unknown>;
    const whole = typeof head === 'string' && /^[0-9a-f]{64}$/.test(head);
    if (typeof network !== 'string' || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(revision) || !whole)
      return null;
    return { network, epoch: epoch as number, revision: revision as number, head };
  } catch {
    return null;
  }
}

/**
 * `witness`: every witnessed head is in a chain of the database, for the epoch and revision that it was witnessed for.
 * @throws Error naming the first line whose head is not
 */
export function requireWitnessed(
  witnessed: readonly WitnessedHead[],
  known: ReadonlyMap<string, { readonly network: string; readonly epoch: number; readonly revision: number }>,
): string {
  for (const { line, network, epoch, revision, head } of witnessed) {
    const found = known.get(head);
    if (found === undefined) {
      throw new Error(
        `line ${line}: head ${head} of epoch ${epoch} revision ${revision}${network === null ? '' : ` of ${network}`} was witnessed and is in no chain of this database: it was rolled back or rewritten`,
      );
    }
    const same = found.epoch === epoch && found.revision === revision;
    if (same && (network === null || found.network === network)) continue;
    throw new Error(
      `line ${line}: head ${head} was witnessed for epoch ${epoch} revision ${revision}${network === null ? '' : ` of ${network}`}, the chain has it for epoch ${found.epoch} revision ${found.revision} of ${found.network}`,
    );
  }
  return `${witnessed.length} witnessed heads are in the chain`;
}

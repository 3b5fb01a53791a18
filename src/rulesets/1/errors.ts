/** What can go wrong in ruleset 1 besides a policy: each a defect of the caller's data, never of the rounding. */
export type RulesetErrorId =
  /** No ruleset of that number is known to this version. */
  | 'unknown-ruleset'
  /** Sealed rows name a market that the policy does not have. */
  | 'unknown-market'
  /** Prices were asked for without a usable token price (spec §4): the epoch was not complete. */
  | 'no-token-price'
  /** Published epochs out of order, not below the epoch, or in conflict with the last base prices. */
  | 'history-mismatch'
  /** An epoch number that is none, or whose times have no four-digit year. */
  | 'epoch-out-of-calendar'
  /** A row of a prices table whose cells are not what spec §9 puts there. */
  | 'malformed-prices-row';

export interface ErrorWords {
  readonly what: string;
  readonly where: string;
  readonly todo: string;
}

/** Error of the pure arithmetic; the message says what happened, where, and what to do. */
export class RulesetError extends Error {
  constructor(
    readonly id: RulesetErrorId,
    readonly words: ErrorWords,
  ) {
    super(`${words.what} Where: ${words.where}. To do: ${words.todo}`);
    this.name = 'RulesetError';
  }
}

/** One defect of a policy, at the key with this path: keys and array indexes joined by dots (spec §2). */
export interface PolicyProblem {
  readonly path: string;
  readonly message: string;
}

/** A policy document that spec §2 does not allow, with every defect found. */
export class PolicyError extends Error {
  readonly id = 'invalid-policy';
  constructor(readonly problems: readonly PolicyProblem[]) {
    super(
      [
        `The policy has ${problems.length === 1 ? 'one defect' : `${problems.length} defects`}:`,
        ...problems.map(({ path, message }) => `  ${path === '' ? '(document)' : path}: ${message}`),
        'Correct the keys named above; docs/spec.md §2 says what each may be.',
      ].join('\n'),
    );
    this.name = 'PolicyError';
  }
}

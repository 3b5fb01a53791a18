import type { Queryable } from '../../../src/store/pool';

/** What an operator was told: it has to stand in the database. */
export interface Answer {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly contentDigest: string;
  /** Who was told, and by which command. */
  readonly told: string;
}

/** What the invariants are judged by: the rows, and what was seen of them and said about them before. */
export interface Evidence {
  /** Of a superuser on the database itself: nothing stands between it and the rows. */
  readonly rows: Queryable;
  /** Fingerprints of what was published when it was last looked at, by revision; each look adds to it. */
  readonly seen: Map<string, string>;
  /** Text of `heads.log`; null: nobody kept one. */
  readonly heads: string | null;
  readonly answers: readonly Answer[];
  /** I15: how long an epoch that is due may stay open without waiting for a person. */
  readonly openSeconds: number;
}

/** One statement about everything that is committed. */
export interface Invariant {
  readonly id: string;
  readonly says: string;
  /** What does not hold, each with its row; empty: all of it does. */
  violations(evidence: Evidence): Promise<readonly string[]>;
}

export interface Violation {
  readonly id: string;
  readonly says: string;
  readonly found: readonly string[];
}

/** Published revisions with all that was computed for them. */
export const REVISIONS = `
  revisions as (
    select c.network, c.epoch, c.revision, c.computation, c.position, c.content_digest, c.entry, c.head, c.published_at,
      r.content, r.content_digest as checked_digest, r.payout_count, r.breakers, r.content::jsonb as told,
      k.policy_hash, k.snapshot_digest, k.history, k.history_digest, k.derivation, k.dispute, k.ruleset,
      p.canonical::jsonb as policy, format('%s %s@%s', c.network, c.epoch, c.revision) as name
    from chain_entry c
    left join result r using (network, epoch, revision, computation)
    left join computation k using (network, epoch, revision, computation)
    left join policy p on p.policy_hash = k.policy_hash
    where c.kind = 'revision')`;

/** The `found` column of a query, which says what is wrong with each of its rows. */
export async function foundBy(
  rows: Queryable,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly string[]> {
  const result = await rows.query<{ found: string }>(sql, [...values]);
  return result.rows.map(({ found }) => found);
}

/** An invariant that queries say: each returns a row `found` for every violation. */
export function saidBySql(id: string, says: string, ...queries: readonly string[]): Invariant {
  return {
    id,
    says,
    async violations({ rows }) {
      const found: string[] = [];
      for (const sql of queries) found.push(...(await foundBy(rows, sql)));
      return found;
    },
  };
}

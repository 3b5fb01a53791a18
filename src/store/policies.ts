import { StoreError } from './errors';
import type { Queryable } from './pool';

export interface StoredPolicy {
  readonly policyHash: string;
  /** Canonical JSON (RFC 8785) of the document as it was written. */
  readonly canonical: string;
  /** The YAML as it was given. */
  readonly source: string;
}

export interface EffectivePolicy {
  readonly approval: number;
  readonly fromEpoch: number;
  readonly policyHash: string;
  readonly approvedBy: string;
  readonly approvedAt: string;
  readonly reason: string;
}

export async function insertPolicy(db: Queryable, policy: StoredPolicy): Promise<void> {
  await db.query(
    'insert into policy (policy_hash, canonical, source) values ($1, $2, $3) on conflict (policy_hash) do nothing',
    [policy.policyHash, policy.canonical, policy.source],
  );
}

export async function makeEffective(
  db: Queryable,
  network: string,
  fromEpoch: number,
  policyHash: string,
  approvedBy: string,
  reason: string,
  proposal: number | null = null,
): Promise<void> {
  await db.query(
    `insert into policy_effective (network, from_epoch, policy_hash, approved_by, reason, proposal)
     values ($1, $2, $3, $4, $5, $6)`,
    [network, fromEpoch, policyHash, approvedBy, reason, proposal],
  );
}

/** Hash of the policy that settles `epoch`: the newest approval whose `from` is not after it (spec §2). */
export async function effectivePolicyHash(db: Queryable, network: string, epoch: number): Promise<string> {
  const found = await db.query<{ policy_hash: string }>(
    `select policy_hash from policy_effective where network = $1 and from_epoch <= $2 order by approval desc limit 1`,
    [network, epoch],
  );
  if (found.rows[0] === undefined) {
    throw new StoreError(
      'PolicyMissing',
      `no policy of network ${network} is effective at epoch ${epoch}: an epoch before the first effective policy cannot be settled`,
    );
  }
  return found.rows[0].policy_hash;
}

/**
 * SQL: `graceSeconds` of the policy that settles an epoch, which is the SQL expression `epoch` of the network $1. A
 * policy is stored as it was written, where a count is text.
 */
export const graceAt = (epoch: string): string => `(
  select (p.canonical::jsonb #>> '{epoch,graceSeconds}')::numeric::bigint
  from policy_effective e join policy p using (policy_hash)
  where e.network = $1 and e.from_epoch <= ${epoch} order by e.approval desc limit 1)`;

/** The `graceSeconds` by which an epoch and those after it are due, each once, shortest first. */
export async function gracesFrom(db: Queryable, network: string, epoch: number): Promise<readonly number[]> {
  const found = await db.query<{ grace: number }>(
    `select distinct ${graceAt('s.epoch')} as grace
     from (select $2::integer as epoch
           union select from_epoch from policy_effective where network = $1 and from_epoch > $2) s
     order by grace`,
    [network, epoch],
  );
  return found.rows.map(({ grace }) => grace);
}

export async function getPolicy(db: Queryable, policyHash: string): Promise<StoredPolicy> {
  const found = await db.query<StoredPolicy>(
    `select policy_hash as "policyHash", canonical, source from policy where policy_hash = $1`,
    [policyHash],
  );
  if (found.rows[0] === undefined) throw new StoreError('PolicyMissing', `policy ${policyHash} is not stored here`);
  return found.rows[0];
}

export async function listEffectivePolicies(db: Queryable, network: string): Promise<readonly EffectivePolicy[]> {
  const found = await db.query<EffectivePolicy>(
    `select approval, from_epoch as "fromEpoch", policy_hash as "policyHash", approved_by as "approvedBy",
       to_char(approved_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "approvedAt", reason
     from policy_effective where network = $1 order by approval`,
    [network],
  );
  return found.rows;
}

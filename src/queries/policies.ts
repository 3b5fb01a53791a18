import { type Policy, parsePolicy } from '../rulesets/1/policy';
import { getPolicy } from '../store/policies';
import type { Queryable } from '../store/pool';

// A policy never changes under its hash, so parsing it once a process is enough.
const parsed = new Map<string, Policy>();

/** The stored policy of that hash, validated. */
export async function readPolicy(db: Queryable, policyHash: string): Promise<Policy> {
  const known = parsed.get(policyHash);
  if (known !== undefined) return known;
  const policy = parsePolicy(JSON.parse((await getPolicy(db, policyHash)).canonical));
  parsed.set(policyHash, policy);
  return policy;
}

import { type Policy, parsePolicy } from '../src/rulesets/1/policy';
import { getPolicy } from '../src/store/policies';
import type { Queryable } from '../src/store/pool';

// A policy never changes under its hash, so parsing it once a process is enough; networks have few.
const parsed = new Map<string, Policy>();

/** The stored policy of that hash, validated. */
export async function loadPolicy(db: Queryable, policyHash: string): Promise<Policy> {
  const known = parsed.get(policyHash);
  if (known !== undefined) return known;
  const stored = await getPolicy(db, policyHash);
  const policy = parsePolicy(JSON.parse(stored.canonical));
  parsed.set(policyHash, policy);
  return policy;
}

import { canonicalJson } from '../proofs/canonical-json';
import type { RevisionContent } from '../proofs/contents';
import { type Hashes, sha256Hex } from '../proofs/hashes';
import { type Policy, parsePolicy } from '../rulesets/1/policy';
import { requireSame } from './difference';
import { type Dossier, rowOf } from './dossier';

// Few policies settle many epochs; a canonical text is one policy for ever.
const parsed = new Map<string, Policy>();

/** The policy of a dossier, validated. @throws PolicyError with every problem */
export function policyOf({ policy }: Pick<Dossier, 'policy'>): Policy {
  const known = parsed.get(policy.canonical);
  if (known !== undefined) return known;
  const read = parsePolicy(JSON.parse(policy.canonical));
  parsed.set(policy.canonical, read);
  return read;
}

/** `policy`: its text hashes to its name, is a valid policy, and is the one that seal, computation and content name. */
export function checkPolicy(dossier: Dossier, hashes: Hashes): string {
  const { policy, header } = dossier;
  const place = { table: 'policy', row: policy.hash };
  requireSame(place, 'policy_hash', policy.hash, sha256Hex(hashes, policy.canonical));
  requireSame(place, 'canonical', policy.canonical, canonicalJson(JSON.parse(policy.canonical)));
  const read = policyOf(dossier);
  const content = JSON.parse(dossier.result.content) as RevisionContent;
  requireSame({ table: 'seal', row: String(dossier.epoch) }, 'policy_hash', dossier.sealedPolicyHash, policy.hash);
  const computation = { table: 'computation', row: `${rowOf(dossier)}/${dossier.computation}` };
  requireSame(computation, 'policy_hash', header.policyHash, policy.hash);
  requireSame(computation, 'ruleset', header.ruleset, read.ruleset);
  const result = { table: 'result', row: rowOf(dossier) };
  requireSame(result, 'content.policyHash', content.policyHash, policy.hash);
  requireSame(result, 'content.ruleset', content.ruleset, read.ruleset);
  return `${read.markets.size} markets under ${policy.hash}`;
}

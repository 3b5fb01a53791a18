import type { PoolClient } from 'pg';
import { type DerivationText, parseDerivation } from '../../src/rulesets/1/derivation-text';
import type { Policy } from '../../src/rulesets/1/policy';
import type { Derivation } from '../../src/rulesets/1/records';
import { getComputation, priceRows } from '../../src/store/computations';
import { loadPolicyOf } from './policy-of';
import { NETWORK } from './settling';

export const FIRST = { network: NETWORK, epoch: 0, revision: 1, computation: 1 } as const;

/** Rates and policy by which the first epoch was settled. */
export async function rulesOfFirst(client: PoolClient): Promise<{ policy: Policy; derivation: Derivation }> {
  const header = await getComputation(client, FIRST);
  const derivation = parseDerivation(header.derivation as DerivationText, await priceRows(client, FIRST));
  return { policy: await loadPolicyOf(client, header.policyHash), derivation };
}

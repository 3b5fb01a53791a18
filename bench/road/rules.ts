import type { Pool } from 'pg';
import { loadPolicy } from '../../activities/policies';
import { type DerivationText, parseDerivation } from '../../src/rulesets/1/derivation-text';
import type { Policy } from '../../src/rulesets/1/policy';
import type { Derivation } from '../../src/rulesets/1/records';
import { getComputation, priceRows } from '../../src/store/computations';
import { NETWORK } from './settling';

/** The first epoch's settlement: what the comparisons and the second look are made with. */
export const FIRST = { network: NETWORK, epoch: 0, revision: 1, computation: 1 } as const;

export interface Rules {
  readonly policy: Policy;
  readonly derivation: Derivation;
}

/** Rates and policy by which the first epoch was settled. */
export async function rulesOfFirst(pool: Pool): Promise<Rules> {
  const header = await getComputation(pool, FIRST);
  const derivation = parseDerivation(header.derivation as DerivationText, await priceRows(pool, FIRST));
  return { policy: await loadPolicy(pool, header.policyHash), derivation };
}

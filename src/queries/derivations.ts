import { type DerivationText, parseDerivation } from '../rulesets/1/derivation-text';
import type { FullDerivation } from '../rulesets/1/records';
import { type ComputationKey, getComputation, priceRows } from '../store/computations';
import type { Queryable } from '../store/pool';

/** Measures, prices and multipliers of a computation, as its rows have them. */
export async function derivationOf(db: Queryable, key: ComputationKey): Promise<FullDerivation> {
  const header = await getComputation(db, key);
  return parseDerivation(header.derivation as DerivationText, await priceRows(db, key));
}

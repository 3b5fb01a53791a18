import { type DerivationText, parseDerivation } from '../rulesets/1/derivation-text';
import type { FullDerivation } from '../rulesets/1/records';
import { type ComputationHeader, type ComputationKey, getComputation, priceRows } from '../store/computations';
import type { Queryable } from '../store/pool';

/** Measures, prices and multipliers of a computation, as its rows have them. */
export async function derivationOf(db: Queryable, key: ComputationKey): Promise<FullDerivation> {
  return parsedDerivation(db, key, await getComputation(db, key));
}

export async function parsedDerivation(
  db: Queryable,
  key: ComputationKey,
  header: Pick<ComputationHeader, 'derivation'>,
): Promise<FullDerivation> {
  return parseDerivation(header.derivation as DerivationText, await priceRows(db, key));
}

import { epochEndSeconds } from './calendar';
import { tooManyUnmeasured } from './performance';
import type { Policy } from './policy';
import type { PerformanceFacts, TokenObservation } from './records';
import { usableTokenPrice } from './token-price';

/** What an epoch's inputs can lack (spec §3, Sealing). */
export type MissingInput = 'capacity' | 'token-price' | 'uptimes';

/**
 * What the inputs of an epoch lack; empty: they are sealed at `end + grace`. At the input deadline the epoch goes on
 * if only `uptimes` is missing, and fails otherwise (spec §3).
 *
 * @param inputs rows as they stand; `performance` over the N providers of section 4
 * @throws RulesetError `epoch-out-of-calendar`
 */
export function missingInputs(
  policy: Policy,
  epoch: number,
  inputs: {
    readonly capacityRows: number;
    readonly token: readonly TokenObservation[];
    readonly performance: Pick<PerformanceFacts, 'activeProviders' | 'measuredUptimes'>;
  },
): MissingInput[] {
  const missing: MissingInput[] = [];
  if (inputs.capacityRows === 0) missing.push('capacity');
  if (usableTokenPrice(policy, epochEndSeconds(policy.epoch, epoch), inputs.token) === null)
    missing.push('token-price');
  if (tooManyUnmeasured(policy, inputs.performance)) missing.push('uptimes');
  return missing;
}

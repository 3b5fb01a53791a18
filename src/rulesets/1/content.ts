import { amountText } from '../../numbers/amounts';
import { decimalText } from '../../numbers/decimal';
import type { Amount } from '../../numbers/units';
import { revisionContent as checkedContent, type RevisionContent } from '../../proofs/contents';
import type { Derivation } from './records';

/** Which revision a content is of, and the digests of its tables: lower-case hex without prefix. */
export interface RevisionNames {
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly pricesDigest: string;
  readonly payoutsDigest: string;
}

/**
 * Content of a revision under ruleset 1 (spec §9); its canonical JSON is digested elsewhere.
 *
 * @param sum the sum of all amounts
 * @throws ProofError `ContentNotValid` if a name, a digest or an amount is not what the specification puts there
 */
export function revisionContent(names: RevisionNames, derivation: Derivation, sum: Amount): RevisionContent {
  const { network } = derivation.measures;
  return checkedContent({
    network: names.network,
    epoch: names.epoch,
    revision: names.revision,
    ruleset: 1,
    policyHash: names.policyHash,
    snapshotDigest: names.snapshotDigest,
    pricesDigest: names.pricesDigest,
    payoutsDigest: names.payoutsDigest,
    activeProviders: network.activeProviders,
    growthPhase: derivation.growthPhase,
    tokenPrice: decimalText(network.tokenPrice),
    tokenVolume: decimalText(network.tokenVolume),
    macro: decimalText(network.macro),
    pool: amountText(derivation.pool),
    sum: amountText(sum),
    unallocated: amountText((derivation.pool - sum) as Amount),
  });
}

import { listDisputes } from '../store/disputes';
import { listBatches } from '../store/payments';
import { listProposals } from '../store/policy-proposals';
import type { Queryable } from '../store/pool';

/** Something that a second person has to decide, beside the holds; oldest first within its kind. */
export interface WaitingDecision {
  readonly kind: 'dispute' | 'payment' | 'policy';
  /** In words: which one. */
  readonly subject: string;
  readonly askedBy: string;
  readonly since: string;
  /** How it is decided; rejecting is the same with `reject`. */
  readonly decide: string;
}

/** What waits for a second person in a network: disputes, payment batches, and policies that were proposed. */
export async function waitingDecisions(db: Queryable, network: string): Promise<readonly WaitingDecision[]> {
  const disputes = (await listDisputes(db, network, null, true)).filter(({ state }) => state === 'open');
  const batches = (await listBatches(db, network)).filter(({ decision }) => decision === null);
  const proposals = (await listProposals(db, network)).filter(({ decision }) => decision === null);
  return [
    ...disputes.map(({ epoch, dispute, openedBy, openedAt }) => ({
      kind: 'dispute' as const,
      subject: `dispute ${dispute} of epoch ${epoch}`,
      askedBy: openedBy,
      since: openedAt,
      decide: `settle dispute approve ${epoch} ${dispute}`,
    })),
    ...batches.map(({ batch, createdBy, createdAt }) => ({
      kind: 'payment' as const,
      subject: `payment batch ${batch}`,
      askedBy: createdBy,
      since: createdAt,
      decide: `settle payment approve ${batch}`,
    })),
    ...proposals.map(({ proposal, fromEpoch, proposedBy, proposedAt }) => ({
      kind: 'policy' as const,
      subject: `policy ${proposal} from epoch ${fromEpoch}`,
      askedBy: proposedBy,
      since: proposedAt,
      decide: `settle policy approve ${proposal}`,
    })),
  ];
}

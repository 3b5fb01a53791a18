import {
  ApplicationFailure,
  condition,
  continueAsNew,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type {
  Checked,
  ComputationRef,
  Concerned,
  Corrected,
  DisputeRef,
  DisputeStanding,
} from '../activities/contracts';
import { Looks } from './looks';
import {
  type DisputeAnswer,
  type DisputeEpochInput,
  type DisputePhase,
  decideDispute,
  disputeStatus,
  lookAgain,
} from './messages';
import { rewardChunks } from './reward-chunks';
import { compute, failedGuard, write } from './road';
import { tell } from './tell';

/** A dispute that nobody decides is waited for by so many runs, about a day each (workflows/looks.ts). */
const RUNS = 7;

/**
 * Makes the next revision of a published epoch from corrected rows (spec §10): correct, derive, reward, check, review,
 * publish, prove.
 *
 * As settleEpoch it holds no truth: corrections, drafts and the decision are rows, and a run that is terminated is
 * started again and finds them. It is on nobody's way while it waits, so it has no deadline; after about a week without
 * a decision the run ends, and the decision starts another. A guard that does not hold closes the dispute; the epoch
 * stays as it is published.
 *
 * History: 7 activities, and one more for each chunk of providers; 11 events for each look at what a person decided.
 */
export async function disputeEpoch(input: DisputeEpochInput): Promise<DisputeAnswer> {
  const review = new Review(input);
  const answer = await review.settle();
  review.enter(
    'closed',
    answer.kind === 'published' ? `revision ${answer.revision}, head ${answer.head}` : answer.kind,
  );
  return answer;
}

/** What a review ends with: the decision, or that there is something else to decide on. */
type Reviewed = Exclude<DisputeStanding['state'], 'published'>;

class Review {
  private readonly ref: DisputeRef;
  private phase: DisputePhase = 'correct';
  private detail = '';
  /** Content digest under review, while it is. */
  private proposed: string | null = null;
  private told = false;

  constructor(private readonly input: DisputeEpochInput) {
    this.ref = { network: input.network, epoch: input.epoch, dispute: input.dispute };
    setHandler(disputeStatus, () => ({ ...this.ref, phase: this.phase, detail: this.detail }));
    setHandler(lookAgain, () => {
      this.told = true;
    });
    setHandler(decideDispute, (decision) => this.wake(decision.outcome), {
      // Synchronous: a validator that returns a promise validates nothing.
      validator: ({ contentDigest }) => {
        if (this.proposed === contentDigest) return;
        throw ApplicationFailure.nonRetryable(
          this.proposed === null
            ? `dispute ${input.dispute} of epoch ${input.epoch} is not under review`
            : `dispute ${input.dispute} of epoch ${input.epoch} proposes the content digest ${this.proposed}`,
          'DisputeMismatch',
        );
      },
    });
    upsertSearchAttributes({ SettleNetwork: [input.network], SettleEpoch: [input.epoch] });
  }

  enter(phase: DisputePhase, detail: string): void {
    if (phase !== this.phase) upsertSearchAttributes({ SettlePhase: [phase] });
    this.phase = phase;
    this.detail = detail;
    setCurrentDetails(`**${phase}**: ${detail}`);
  }

  async settle(): Promise<DisputeAnswer> {
    try {
      const found = await write.readDispute(this.ref, null);
      // A run before this one published, and may have died before it told anybody and before the claims were there.
      if (found.state === 'published') return await this.tellAndProve(found, found.key, found.contentDigest);
      if (found.state === 'rejected' || found.state === 'stale' || found.state === 'failed')
        return { kind: found.state };
      this.enter('correct', 'reading the corrected rows and taking their digest');
      const corrected = await compute.correctSnapshot(this.ref);
      for (;;) {
        const answer = await this.settleCorrected(corrected);
        if (answer !== 'again') return answer;
      }
    } catch (error) {
      const failed = failedGuard(error);
      if (failed === null) throw error;
      await write.failDispute(this.ref, failed.guard, failed.detail, this.input.requestId);
      return { kind: 'failed' };
    }
  }

  private async settleCorrected(corrected: Corrected): Promise<DisputeAnswer | 'again'> {
    this.enter('derive', 'prices as they were, or anew');
    const derived = await compute.deriveDispute(this.ref, this.input.requestId);
    const cappedSum = derived.checked
      ? null
      : await rewardChunks(derived, corrected, (detail) => this.enter('reward', detail));
    this.enter('check', 'guards');
    const checked = await compute.check(derived.key, cappedSum, this.input.requestId);
    const reviewed = await this.review(derived.key, checked);
    if (reviewed === 'recompute') return 'again';
    if (reviewed !== 'approved') return { kind: reviewed };
    this.enter('publish', 'appending to the chain');
    const published = await write.publishDispute(this.ref, derived.key, checked.contentDigest);
    if (published.kind === 'superseded') return 'again';
    if (published.kind === 'stale') return { kind: 'stale' };
    return this.tellAndProve(published, derived.key, checked.contentDigest);
  }

  /** First those who wait, of whom nothing but the rows knows any more once the claims are there. */
  private async tellAndProve(
    { recomputed, disputes }: Concerned,
    key: ComputationRef,
    contentDigest: string,
  ): Promise<DisputeAnswer> {
    this.enter('tell', 'telling those whose history changed');
    for (const epoch of recomputed) await tell(`settle/${this.ref.network}/${epoch}`);
    for (const other of disputes) await tell(`dispute/${other.network}/${other.epoch}/${other.dispute}`);
    this.enter('prove', 'building the claims');
    const proved = await write.prove(key, this.input.requestId);
    return { kind: 'published', revision: key.revision, contentDigest, head: proved.head };
  }

  /** Waits for the second person. The rows decide; whoever wakes this run only makes it look. */
  private async review(key: ComputationRef, checked: Checked): Promise<Reviewed> {
    this.proposed = checked.contentDigest;
    this.enter('review', `waiting for a second person; sum ${checked.sum}, content digest ${checked.contentDigest}`);
    try {
      for (const looks = new Looks(this.input.looksARun); ; ) {
        const found = await write.readDispute(this.ref, key);
        if (found.state === 'published') return 'approved';
        if (found.state !== 'open') return found.state;
        if (looks.over && !this.told) return await this.anotherRun();
        await condition(() => this.told, looks.pauseMs());
        this.told = false;
      }
    } finally {
      this.proposed = null;
    }
  }

  /** Waits on in a run with a history of its own; `open` after the last one. */
  private async anotherRun(): Promise<'open'> {
    const runsBefore = (this.input.runsBefore ?? 0) + 1;
    return runsBefore < RUNS ? continueAsNew<typeof disputeEpoch>({ ...this.input, runsBefore }) : 'open';
  }

  private wake(outcome: string): string {
    this.told = true;
    return `dispute ${this.input.dispute} of epoch ${this.input.epoch}: ${outcome}`;
  }
}

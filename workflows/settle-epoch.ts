import {
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Checked, Closed, ComputationRef, EpochRef, InputsState, Sealed } from '../activities/contracts';
import { Looks } from './looks';
import {
  answered,
  decide,
  type EpochAnswer,
  epochStatus,
  lookAgain,
  type Phase,
  type SettleEpochInput,
} from './messages';
import { rewardChunks } from './reward-chunks';
import { compute, endedBy, failedGuard, read, write } from './road';
import { tell } from './tell';

/**
 * Settles one epoch: gather, seal, measure, price, multiply, reward, check, hold, publish, tell, prove.
 *
 * It holds no truth. Every step writes what it found and finds what it wrote, so a run that is terminated, or that new
 * code cannot replay, is ended and started again. It ends with an answer, never with an error, unless the system
 * itself is broken; an epoch is failed only by a recorded decision.
 *
 * History: about 8 activities, and one more for each chunk of providers (two where the pool binds). A run that waits,
 * for inputs or for a decision, looks by itself, 11 events a look, and continues as new after so many of them
 * (workflows/looks.ts).
 */
export async function settleEpoch(input: SettleEpochInput): Promise<EpochAnswer> {
  const road = new Road(input);
  const closed = await road.settle();
  road.enter('closed', closed.kind === 'published' ? `published, head ${closed.head}` : `failed(${closed.failure})`);
  upsertSearchAttributes({ SettleOutcome: [closed.kind === 'published' ? 'published' : closed.failure] });
  return closed;
}

class Road {
  private readonly ref: EpochRef;
  private phase: Phase = 'gather';
  private detail = '';
  /** Content digest that is held, while it is. */
  private held: string | null = null;
  private decided = false;

  constructor(private readonly input: SettleEpochInput) {
    this.ref = { network: input.network, epoch: input.epoch };
    setHandler(epochStatus, () => ({ epoch: input.epoch, phase: this.phase, detail: this.detail }));
    setHandler(decide, (decision) => this.wake(decision.outcome), {
      // Synchronous: a validator that returns a promise validates nothing.
      validator: ({ contentDigest }) => {
        if (this.held === null)
          throw ApplicationFailure.nonRetryable(`epoch ${input.epoch} is not on hold`, 'HoldClosed');
        if (this.held !== contentDigest) {
          throw ApplicationFailure.nonRetryable(
            `epoch ${input.epoch} is held with the content digest ${this.held}`,
            'HoldMismatch',
          );
        }
      },
    });
    setHandler(lookAgain, () => {
      this.decided = true;
    });
    upsertSearchAttributes({ SettleNetwork: [input.network], SettleEpoch: [input.epoch] });
  }

  enter(phase: Phase, detail: string): void {
    if (phase !== this.phase) upsertSearchAttributes({ SettlePhase: [phase] });
    this.phase = phase;
    this.detail = detail;
    setCurrentDetails(`**${phase}**: ${detail}`);
  }

  /** The line that the Temporal UI shows beside an activity. */
  private named(what: string): { readonly summary: string } {
    return { summary: `epoch ${this.input.epoch}: ${what}` };
  }

  /** Goes the road until the epoch is closed; again from the rates on when a dispute below changed its history. */
  async settle(): Promise<Closed> {
    try {
      let sealed: Sealed | null = null;
      while (sealed === null) {
        const found = await this.gather();
        if ('closed' in found) return found.closed;
        this.enter('seal', 'freezing the rows and taking their digest');
        sealed = await this.seal(found.inputs);
      }
      for (;;) {
        const answer = await this.settleSealed(sealed);
        if (answer !== 'superseded') return answer;
      }
    } catch (error) {
      const failed = failedGuard(error);
      if (failed === null) throw error;
      return this.fail(failed.guard, failed.detail);
    }
  }

  /** Waits until the inputs are complete or their deadline has passed. */
  private async gather(): Promise<{ readonly closed: Closed } | { readonly inputs: InputsState | null }> {
    const looks = new Looks(this.input.looksARun);
    for (let told = false; ; told = true) {
      const found = await read.gather(this.ref, this.input.requestId);
      if (found.kind === 'closed') return { closed: found.answer };
      if (found.kind === 'ready') return { inputs: found.inputs };
      if (found.kind === 'refused') {
        return { closed: await this.fail(found.failure, { contentDigest: found.contentDigest }) };
      }
      if (found.kind === 'incomplete') {
        return { closed: await this.fail('incomplete-inputs', { missing: found.missing }) };
      }
      this.enter('gather', `waiting for ${found.missing.join(', ')}`);
      if (!told) await this.answer({ kind: 'waiting', epoch: this.input.epoch, missing: found.missing });
      if (looks.over) return this.anotherRun();
      // Inputs come from outside and wake nobody.
      await sleep(looks.pauseMs(found.recheckSeconds * 1000));
    }
  }

  /** Freezes the inputs; null: they were not complete any more, and nothing is frozen. */
  private async seal(judged: InputsState | null): Promise<Sealed | null> {
    try {
      return await compute.seal.executeWithOptions(this.named('freeze the rows, take their digest'), [
        this.ref,
        judged,
      ]);
    } catch (error) {
      if (endedBy(error, 'InputsChanged')) return null;
      throw error;
    }
  }

  private async settleSealed(sealed: Sealed): Promise<Closed | 'superseded'> {
    this.enter('derive', 'measuring, pricing and multiplying');
    const derived = await compute.derive.executeWithOptions(this.named('measures, prices, multipliers'), [
      this.ref,
      this.input.requestId,
    ]);
    const cappedSum = derived.checked
      ? null
      : await rewardChunks(derived, sealed, (detail) => this.enter('reward', detail));
    this.enter('check', 'guards and breakers');
    const checked = await compute.check.executeWithOptions(this.named('guards and breakers'), [
      derived.key,
      cappedSum,
      this.input.requestId,
    ]);
    if (checked.hold !== null) {
      const refused = await this.hold(derived.key, checked);
      if (refused !== null) return refused;
    }
    this.enter('publish', 'appending to the chain');
    const published = await write.publish.executeWithOptions(
      this.named(`publish ${checked.contentDigest.slice(0, 12)}`),
      [derived.key, checked.contentDigest, this.input.requestId],
    );
    if (published.kind === 'superseded') return 'superseded';
    if (published.kind === 'closed') return published.answer;
    // Before the claims: a run that dies here is followed by one that publishes again, finds it done, and tells.
    for (const epoch of published.recomputed) await tell(`settle/${this.input.network}/${epoch}`);
    this.enter('prove', 'building the claims');
    const proved = await write.prove.executeWithOptions(this.named('claims, and the head that follows'), [
      derived.key,
      this.input.requestId,
    ]);
    return {
      kind: 'published',
      epoch: this.input.epoch,
      revision: derived.key.revision,
      contentDigest: checked.contentDigest,
      head: proved.head,
    };
  }

  /** Waits for the decision on a hold. Returns null once it was approved. */
  private async hold(key: ComputationRef, checked: Checked): Promise<Closed | 'superseded' | null> {
    this.held = checked.contentDigest;
    const tripped = checked.breakers
      .map((breaker) => `${breaker.id} ${breaker.figure} over ${breaker.limit}`)
      .join(', ');
    this.enter('hold', `waiting for a person until ${checked.hold?.deadline}: ${tripped}`);
    upsertSearchAttributes({ SettleOutcome: ['held'] });
    const deadline = Date.now() + (checked.hold?.waitSeconds ?? 1) * 1000;
    const looks = new Looks(this.input.looksARun);
    for (let told = false; ; told = true) {
      const state = await write.readHold(key);
      if (state !== 'open') {
        this.held = null;
        if (state === 'approved' || state === 'released') return null;
        return state === 'superseded' ? 'superseded' : this.fail(state, { contentDigest: checked.contentDigest });
      }
      if (!told) await this.answer({ kind: 'held', epoch: this.input.epoch, contentDigest: checked.contentDigest });
      if (looks.over && !this.decided) return this.anotherRun();
      await condition(() => this.decided, looks.pauseMs(deadline - Date.now()));
      this.decided = false;
    }
  }

  /** Waits on in a run with a history of its own. Who waited for this one's answer has got it. */
  private anotherRun(): Promise<never> {
    return continueAsNew<typeof settleEpoch>({ ...this.input, answerTo: null });
  }

  private wake(outcome: string): string {
    this.decided = true;
    return `epoch ${this.input.epoch}: ${outcome}`;
  }

  private fail(
    failure: Extract<Closed, { kind: 'failed' }>['failure'],
    detail: Readonly<Record<string, unknown>>,
  ): Promise<Closed> {
    return write.closeAsFailed(this.ref, failure, detail, this.input.requestId);
  }

  /** Tells the loop that it need not wait. A loop that has ended meanwhile is not missed. */
  private async answer(answer: EpochAnswer): Promise<void> {
    const { answerTo } = this.input;
    if (answerTo === null) return;
    try {
      await CancellationScope.nonCancellable(() => getExternalWorkflowHandle(answerTo).signal(answered, answer));
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }
}

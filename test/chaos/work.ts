import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Dispute, DisputeKey } from '../../src/store/disputes';
import { getDispute } from '../../src/store/disputes';
import { nextOpenEpoch } from '../../src/store/due';
import { holdsOf } from '../../src/store/holds';
import { getNetwork } from '../../src/store/networks';
import type { Confirmation, PaymentBatch } from '../../src/store/payments';
import { rows } from '../disputes/disputing';
import type { Answer } from './invariants';
import type { CommandName, Commands } from './operator';
import type { Round } from './plan';
import { type Child, Refused, Unanswered } from './processes';

const RETRY_MS = 300;

/** What the round's faults ask of its work: the same thing done by two at once, or by many. */
export interface Crowding {
  readonly starts: number;
  readonly twice: ReadonlySet<'hold' | 'dispute' | 'batch' | 'approval of a batch'>;
}

/** The people of a network. Whoever opens or makes something is not the one who decides it. */
const OPERATORS = ['olivia', 'oscar'] as const;
const APPROVERS = ['anton', 'paul'] as const;

/** Operators at work: each does what a person would, and does it again until the system says that it is done. */
export class Work {
  private turn = 0;
  /** What was refused though nobody had done it before: a finding. */
  readonly unexpected: string[] = [];

  constructor(
    private readonly operators: readonly Child[],
    private readonly direct: Pool,
    private readonly answers: Answer[],
    private readonly stop: AbortSignal,
  ) {}

  /** Makes the round's network, settles it and has its hold approved. */
  async settle(network: string, round: Round, crowding: Crowding): Promise<void> {
    const { providers, epochs, heldEpoch } = round;
    const knobs = { providers, epochs, held: [heldEpoch], pool: '10' };
    await this.persist('make-network', 'olivia', { network, knobs });
    if (crowding.starts > 1) await this.startAtOnce(network, crowding.starts);
    while (!(await this.closed(network))) {
      const held = await this.openHold(network);
      if (held === null) await this.persist('epoch-run', 'olivia', { network }, ['AlreadyRunning']);
      else await this.approveHold(network, held, crowding.twice.has('hold'));
      await this.rest();
    }
  }

  private async startAtOnce(network: string, starts: number): Promise<void> {
    await this.atOnce(starts, (one) => this.persist('epoch-run', OPERATORS[one % 2]!, { network }, ['AlreadyRunning']));
  }

  private async approveHold(network: string, epoch: number, twice: boolean): Promise<void> {
    await this.atOnce(twice ? 2 : 1, async (one) => {
      const approver = APPROVERS[one]!;
      const gone = ['HoldClosed', 'HoldUnknown', 'AlreadyRunning'];
      const hold = await this.persist('hold-approve', approver, { network, epoch }, gone);
      if (hold === null) return;
      const { contentDigest } = hold as { contentDigest: string };
      this.answers.push({ network, epoch, revision: 1, contentDigest, told: `${approver}, who approved its hold,` });
    });
  }

  /** Disputes an epoch of a settled network, and has the revision approved and published. */
  async dispute(network: string, round: Round, requestId: string, twice: boolean): Promise<void> {
    const epoch = round.disputedEpoch;
    const { derive } = round;
    const files =
      derive === 'full'
        ? rows('demand', `${epoch},gpu,${31 + round.number}`)
        : rows('capacity', `${epoch},p0,gpu,${100 + round.number},9`);
    const opening = { network, epoch, files, derive, requestId };
    for (;;) {
      const opened = await this.persist('dispute-open', 'olivia', opening);
      const { key } = opened as { key: DisputeKey };
      await this.atOnce(twice ? 2 : 1, (one) => this.approveDispute(key, APPROVERS[one]!));
      const dispute = await this.ask(() => getDispute(this.direct, key));
      if (dispute.state === 'published') return;
      if (dispute.state !== 'open' && dispute.state !== 'approved') {
        this.unexpected.push(
          `dispute ${key.dispute} of ${network} ${epoch} ended as ${dispute.state}: ${dispute.decidedReason}`,
        );
        return;
      }
      await this.rest();
    }
  }

  private async approveDispute(key: DisputeKey, approver: string): Promise<void> {
    const done = await this.persist('dispute-approve', approver, key, [
      'DisputeClosed',
      'DisputeUncomputed',
      'DisputeStale',
    ]);
    if (done === null) return;
    const { state, baseRevision, decidedDigest } = done as Dispute;
    if (state !== 'published') return;
    const told = `${approver}, who approved dispute ${key.dispute},`;
    this.answers.push({ ...key, revision: baseRevision + 1, contentDigest: decidedDigest as string, told });
  }

  /** Pays what is due: a batch, its approval, what the wallet says of all lines but the last, and the last given up. */
  async pay(network: string, requestId: string, crowding: Crowding): Promise<void> {
    const batches: number[] = [];
    await this.atOnce(crowding.twice.has('batch') ? 2 : 1, async (one) => {
      const wanted = { network, requestId: `${requestId}-${one}` };
      const batch = await this.persist('payment-create', OPERATORS[one]!, wanted, ['NothingDue', 'BatchOpen']);
      if (batch !== null) batches.push((batch as PaymentBatch).batch);
    });
    for (const batch of batches) {
      await this.atOnce(crowding.twice.has('approval of a batch') ? 2 : 1, (one) =>
        this.persist('payment-approve', APPROVERS[one]!, { network, batch }, ['BatchClosed', 'BatchStale']),
      );
      await this.report(network, batch);
    }
  }

  private async report(network: string, batch: number): Promise<void> {
    const lines = await this.ask(async () => {
      const found = await this.direct.query<{ provider: string; amount: string; decision: string | null }>(
        `select l.provider, l.amount::text, d.decision from payment_line l left join payment_decision d using (network, batch)
         where network = $1 and batch = $2 order by l.provider`,
        [network, batch],
      );
      return found.rows;
    });
    // A dispute lowered what was due before the batch was approved.
    if (lines[0]?.decision !== 'approved') return;
    const confirmations = lines.slice(0, -1).flatMap((line, index) => paidInParts(batch, line, index));
    if (confirmations.length > 0) await this.persist('payment-confirm', 'olivia', { network, batch, confirmations });
    await this.persist('payment-fail', 'oscar', { network, batch, provider: lines.at(-1)!.provider });
  }

  /** Brings what is to be refused whole. */
  async poison(network: string, what: 'import' | 'corrections'): Promise<void> {
    const refused =
      what === 'import'
        ? await this.persist('poison-import', 'oscar', { network, epochs: 2 }, ['bundle-rows-refused'])
        : await this.persist('dispute-open', 'oscar', poisonedDispute(network), [
            'bundle-rows-refused',
            'DisputeRefused',
          ]);
    if (refused !== null) this.unexpected.push(`a poisoned ${what} of ${network} was taken`);
  }

  /**
   * Does a command until it is answered. Returns null where it is refused by one of the rules `enough`, which say that
   * there is nothing left to do; any other refusal is a finding.
   */
  private async persist<C extends CommandName>(
    command: C,
    actor: string,
    given: Commands[C],
    enough: readonly string[] = [],
  ): Promise<unknown> {
    for (;;) {
      this.stop.throwIfAborted();
      this.turn += 1;
      const operator = this.operators[this.turn % this.operators.length]!;
      try {
        return await operator.call(command, actor, given);
      } catch (error) {
        if (error instanceof Refused && enough.includes(error.id)) return null;
        if (error instanceof Refused && error.rule) {
          this.unexpected.push(
            `${actor} was refused ${command} ${JSON.stringify(given).slice(0, 120)}: ${error.message}`,
          );
          return null;
        }
        if (!(error instanceof Refused || error instanceof Unanswered)) throw error;
      }
      await this.rest();
    }
  }

  private async atOnce(times: number, act: (one: number) => Promise<unknown>): Promise<void> {
    await Promise.all(Array.from({ length: times }, (_, one) => act(one)));
  }

  private rest(): Promise<void> {
    return sleep(RETRY_MS);
  }

  private closed(network: string): Promise<boolean> {
    return this.ask(async () => {
      const { lastEpoch } = await getNetwork(this.direct, network);
      return (await nextOpenEpoch(this.direct, network)) > (lastEpoch as number);
    });
  }

  /** The epoch that waits for a person; null: none does. */
  private openHold(network: string): Promise<number | null> {
    return this.ask(async () => {
      const epoch = await nextOpenEpoch(this.direct, network);
      const [newest] = await holdsOf(this.direct, network, epoch);
      return newest !== undefined && newest.decision === null ? epoch : null;
    });
  }

  /** Asks the database itself, again while it is down. */
  private async ask<T>(question: () => Promise<T>): Promise<T> {
    for (;;) {
      this.stop.throwIfAborted();
      try {
        return await question();
      } catch (error) {
        if ((error as { name?: string }).name === 'NetworkUnknown') throw error;
        await this.rest();
      }
    }
  }
}

/** The first line in two parts; a transfer's reference is its own, as every transaction's is. */
function paidInParts(
  batch: number,
  { provider, amount }: { provider: string; amount: string },
  index: number,
): readonly Confirmation[] {
  const whole = BigInt(amount);
  const parts = index === 0 && whole > 1n ? [whole / 2n, whole - whole / 2n] : [whole];
  return parts.map((part, place) => ({ provider, reference: `tx-${batch}-${place + 1}`, amount: part.toString() }));
}

/** A provider that is never to be seen, with one row that is good and one that serves more than it offers. */
const poisonedDispute = (network: string): Commands['dispute-open'] => ({
  network,
  epoch: 0,
  files: {
    ...rows('providers', 'never:p1,0,active,'),
    ...rows('capacity', '0,never:p1,gpu,2,1', '0,never:p1,disk,1,2'),
  },
  derive: 'full',
  requestId: `poison-${network}`,
});

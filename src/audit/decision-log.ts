import type { DecidedDispute } from '../store/disputes';
import { NO_ROW, requireSame, requireSameJson } from './difference';
import type { Dossier } from './dossier';

/** A row of the audit log, as far as it says who decided what. */
export interface LoggedDecision {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly outcome: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** A row of settle.epoch_failure. */
export interface RecordedFailure {
  readonly epoch: number;
  readonly failureNo: number;
  readonly failure: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly reason: string;
}

/** A payment batch that was decided, and the digest of the lines that it has. */
export interface RecordedBatch {
  readonly batch: number;
  readonly decision: string;
  readonly decidedBy: string;
  readonly decidedDigest: string;
  readonly linesDigest: string;
}

/** A network as its row has it. */
export interface RecordedNetwork {
  readonly network: string;
  readonly firstEpoch: number;
  readonly lastEpoch: number | null;
  readonly holds: string;
}

/** A row of settle.policy_effective. */
export interface RecordedPolicy {
  readonly approval: number;
  readonly fromEpoch: number;
  readonly policyHash: string;
  readonly approvedBy: string;
  readonly reason: string;
}

/** The words of the approval that a network is made with; its row in the log tells of the calendar. */
const FIRST_POLICY = 'first policy of the network';

/** What no person does. */
const SYSTEM_ACTS = /^(fail|dispute-(stale|failed|superseded))$/;

const NOBODY = '(no row in the audit log)';

/**
 * Who let what through, as the audit log of one network has it. The rows of holds, disputes and failures say it too;
 * a row that was made up or changed is not what the log says.
 */
export class DecisionLog {
  private readonly rows = new Map<string, LoggedDecision>();
  private readonly policies: LoggedDecision[] = [];
  private readonly failures = new Map<number, LoggedDecision[]>();
  /** The decision on each payment batch, by subject. */
  private readonly batches = new Map<string, LoggedDecision>();
  /** Opening and decisions of each dispute, by subject. */
  private readonly disputes = new Map<string, LoggedDecision[]>();

  take(row: LoggedDecision): void {
    if (row.outcome !== 'done' || (SYSTEM_ACTS.test(row.action) && row.actor !== 'system')) return;
    if (row.action === 'fail' || row.action === 'epoch-fail') {
      for (const epoch of epochsOf(row.subject)) this.failures.set(epoch, [...(this.failures.get(epoch) ?? []), row]);
    } else if (row.action === 'policy-approved') {
      this.policies.push(row);
    } else if (/^(hold|dispute)-|^network-create$/.test(row.action)) {
      this.rows.set(nameOf(row.action, row.subject, row.detail.contentDigest), row);
    }
    if (/^payment-(approved|rejected)$/.test(row.action)) this.batches.set(row.subject, row);
    if (row.action.startsWith('dispute-')) {
      this.disputes.set(row.subject, [...(this.disputes.get(row.subject) ?? []), row]);
    }
  }

  /** What let a revision through is in the log: the person, the words and the digest. @throws Mismatch */
  requireApproval({ epoch, revision, computation, header, approval, result }: Dossier): void {
    const { hold, dispute } = approval;
    if (hold?.decision === 'approved') {
      const row = this.rows.get(nameOf('hold-approved', `epoch ${epoch}`, hold.decidedDigest));
      const place = { table: 'hold_decision', row: `${epoch}/${revision}/${computation}` };
      requireSame(place, 'actor', hold.decidedBy, row?.actor ?? NOBODY);
      requireSame(place, 'reason', hold.reason, row?.reason ?? NOBODY);
    }
    if (dispute === null) return;
    const subject = disputeName(epoch, header.dispute);
    const opened = this.rows.get(nameOf('dispute-open', subject, undefined));
    requireSame(
      { table: 'dispute', row: `${epoch}/${header.dispute}` },
      'base_revision',
      revision - 1,
      Number(opened?.detail.revision),
    );
    const approved = this.rows.get(nameOf('dispute-approved', subject, dispute.decidedDigest));
    const shown = { table: 'result', row: `${epoch}/${revision}/${computation}` };
    // Approvals of before it was kept are on record without it.
    requireSameJson(shown, 'would_trip', result.wouldTrip, approved?.detail.wouldTrip ?? result.wouldTrip);
  }

  /** Disputes that the log has in the epochs of a range. */
  loggedDisputes(first: number, last: number): readonly { readonly epoch: number; readonly dispute: number }[] {
    return [...this.disputes.keys()]
      .map((subject) => {
        const [epoch, dispute] = subject.match(/[0-9]+/g)!.map(Number);
        return { epoch: epoch!, dispute: dispute! };
      })
      .filter(({ epoch }) => epoch >= first && epoch <= last);
  }

  /**
   * A dispute was opened, and decided as often and in the same words, as the log says; undefined: the tables do not
   * have it. Those that were never published are looked at too: who rejected what, and why, is history as well.
   * @throws Mismatch
   */
  requireDispute(epoch: number, dispute: number, recorded: DecidedDispute | undefined): string {
    const logged = this.disputes.get(disputeName(epoch, dispute)) ?? [];
    const opened = logged.find(({ action }) => action === 'dispute-open');
    const place = { table: 'dispute', row: `${epoch}/${dispute}` };
    requireSame(place, 'opened_by', recorded?.openedBy ?? NO_ROW, opened?.actor ?? NOBODY);
    const { baseRevision, derive, reason, decisions } = recorded!;
    requireSame(place, 'reason', reason, opened!.reason);
    requireSame(place, 'base_revision', baseRevision, Number(opened!.detail.revision));
    requireSame(place, 'derive', derive, String(opened!.detail.derive));
    const decided = logged.filter((row) => row !== opened);
    for (let index = 0; index < Math.max(decided.length, decisions.length); index += 1) {
      const [row, decision] = [decided[index], decisions[index]];
      const at = { table: 'dispute_decision', row: `${epoch}/${dispute}/${index + 1}` };
      const words = row === undefined ? NOBODY : row.action.slice('dispute-'.length);
      requireSame(at, 'decision', decision?.decision ?? NO_ROW, words);
      requireSame(at, 'actor', decision!.actor, row!.actor);
      requireSame(at, 'reason', decision!.reason, row!.reason);
      const { contentDigest, wouldTrip: _shown, ...detail } = row!.detail as Detail;
      // The system's rows of before they had a digest are on record without one.
      if (contentDigest !== undefined) requireSame(at, 'content_digest', decision!.contentDigest, contentDigest);
      requireSameJson(at, 'detail', decision!.detail, detail);
    }
    return `dispute ${dispute}: opened by ${recorded!.openedBy}${decisions.map(({ decision, actor }) => `, ${decision} by ${actor}`).join('')}`;
  }

  /** Payment batches were decided as the log says, on the lines that they have. @throws Mismatch */
  requireBatches(recorded: readonly RecordedBatch[]): string {
    const names = new Set(recorded.map(({ batch }) => `batch ${batch}`));
    const lost = [...this.batches.keys()].find((subject) => !names.has(subject));
    if (lost !== undefined) {
      const place = { table: 'payment_decision', row: lost.slice('batch '.length) };
      requireSame(place, 'decision', NO_ROW, decidedAs(this.batches.get(lost)));
    }
    for (const { batch, decision, decidedBy, decidedDigest, linesDigest } of recorded) {
      const row = this.batches.get(`batch ${batch}`);
      const place = { table: 'payment_decision', row: String(batch) };
      requireSame(place, 'decision', decision, decidedAs(row));
      requireSame(place, 'actor', decidedBy, row!.actor);
      // Decisions of before they were bound to lines are on record without a digest.
      requireSame(place, 'lines_digest', decidedDigest, (row!.detail.linesDigest ?? decidedDigest) as string);
      requireSame({ table: 'payment_line', row: `batch ${batch}` }, 'lines_digest', linesDigest, decidedDigest);
    }
    return `${recorded.length} payment batches, as they were decided on`;
  }

  /** The network's row says what was said when it was made; only one made for it releases its holds. @throws Mismatch */
  requireNetwork({ network, firstEpoch, lastEpoch, holds }: RecordedNetwork): string {
    const row = this.rows.get(nameOf('network-create', network, undefined));
    const place = { table: 'network', row: network };
    const calendar = `calendar from epoch ${firstEpoch} to ${lastEpoch ?? 'no end'}`;
    requireSame(place, 'first_epoch, last_epoch', calendar, row?.reason ?? NOBODY);
    requireSame(place, 'holds', holds, String(row?.detail.holds ?? NOBODY));
    return `${calendar}, holds ${holds}`;
  }

  /** The policies that came into force, in order: the first with the network, the others by approval. @throws Mismatch */
  requirePolicies({ network, firstEpoch }: RecordedNetwork, recorded: readonly RecordedPolicy[]): string {
    const created = this.rows.get(nameOf('network-create', network, undefined));
    const logged = [
      ...(created === undefined
        ? []
        : [
            {
              ...created,
              reason: FIRST_POLICY,
              detail: { policyHash: created.detail.policyHash, fromEpoch: firstEpoch },
            },
          ]),
      ...this.policies,
    ];
    for (let index = 0; index < Math.max(logged.length, recorded.length); index += 1) {
      const [row, policy] = [logged[index], recorded[index]];
      const place = { table: 'policy_effective', row: `${network}/${policy?.approval ?? `${index + 1}th`}` };
      requireSame(place, 'policy_hash', policy?.policyHash ?? '(no row)', String(row?.detail.policyHash ?? NOBODY));
      requireSame(place, 'from_epoch', policy!.fromEpoch, Number(row!.detail.fromEpoch));
      requireSame(place, 'approved_by', policy!.approvedBy, row!.actor);
      requireSame(place, 'reason', policy!.reason, row!.reason);
    }
    return `${recorded.length} policies in force, as they were approved`;
  }

  /** Epochs of a range that the log has as failed. */
  failedEpochs(first: number, last: number): readonly number[] {
    return [...this.failures.keys()].filter((epoch) => epoch >= first && epoch <= last);
  }

  /** Every failure of an epoch is in the log, in the same order and words, and no other. @throws Mismatch */
  requireFailures(epoch: number, recorded: readonly RecordedFailure[]): string {
    const logged = this.failures.get(epoch) ?? [];
    for (let index = 0; index < Math.max(logged.length, recorded.length); index += 1) {
      const [row, failure] = [logged[index], recorded[index]];
      const place = { table: 'epoch_failure', row: `${epoch}/${failure?.failureNo ?? index + 1}` };
      const onPurpose = row?.action === 'epoch-fail';
      const words = failure && (onPurpose ? failure.reason : `failed(${failure.failure}): ${failure.reason}`);
      requireSame(place, 'reason', words ?? '(no row)', row?.reason ?? NOBODY);
      requireSame(place, 'actor', failure!.actor, row!.actor);
      requireSame(place, 'failure_no', failure!.failureNo, index + 1);
      if (onPurpose) requireSame(place, 'failure', failure!.failure, 'rejected');
      requireSameJson(place, 'detail', failure!.detail, onPurpose ? { onPurpose: true } : row!.detail);
    }
    return recorded.map(({ failure }) => `failed(${failure})`).join(', ');
  }
}

const decidedAs = (row: LoggedDecision | undefined): string => row?.action.slice('payment-'.length) ?? NOBODY;

/** Of a decision on a dispute. */
interface Detail extends Readonly<Record<string, unknown>> {
  readonly contentDigest?: string | null;
  readonly wouldTrip?: unknown;
}

const disputeName = (epoch: number, dispute: number): string => `epoch ${epoch} dispute ${dispute}`;

const nameOf = (action: string, subject: string, digest: unknown): string =>
  `${action}|${subject}|${typeof digest === 'string' ? digest : ''}`;

/** `epoch 3`, or `epochs 3..5`. */
function epochsOf(subject: string): number[] {
  const found = /^epochs? ([0-9]+)(?:\.\.([0-9]+))?$/.exec(subject);
  if (found === null) return [];
  const first = Number(found[1]);
  return Array.from({ length: Number(found[2] ?? first) - first + 1 }, (_, index) => first + index);
}

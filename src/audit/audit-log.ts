import { type Hashes, sha256Hex } from '../proofs/hashes';
import type { LoggedRow } from '../store/audit-log';
import { DecisionLog } from './decision-log';
import { NO_ROW, requireSame } from './difference';
import type { Dossier } from './dossier';
import { rowOf } from './dossier';

const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** What the audit log says of publications and archives, gathered while its chain is walked. */
export class AuditLogWalk {
  rows = 0;
  readonly decisions = new DecisionLog();
  private hash = FIRST_PREVIOUS_HASH;
  private readonly publishedHeads = new Map<string, string>();
  private readonly archives = new Map<string, { readonly historyHash: string; readonly bundleHash: string | null }>();
  private readonly publishingRuns = new Map<string, string>();
  private readonly keptBundles = new Set<string>();

  constructor(
    private readonly network: string,
    private readonly hashes: Hashes,
  ) {}

  /** Takes the next row. @throws Mismatch if it is not the one that follows, or not what its hash is of */
  take(row: LoggedRow): void {
    const place = { table: 'audit_log', row: String(this.rows + 1) };
    requireSame(place, 'entry', row.entry, this.rows + 1);
    requireSame(place, 'previous_hash', row.previousHash, this.hash);
    requireSame(place, 'hash', row.hash, sha256Hex(this.hashes, row.hashed));
    this.hash = row.hash;
    this.rows += 1;
    this.remember(row);
  }

  private remember(row: LoggedRow): void {
    const { network, action, subject, detail } = row;
    // Refused attempts are on record in everybody's words; what the system did is there in its name.
    const bySystem = row.outcome === 'done' && row.actor === 'system';
    const { head, runId, historyHash, bundleHash } = detail as Record<string, string | undefined>;
    if (bySystem && action === 'archive' && runId === undefined && bundleHash !== undefined)
      this.keptBundles.add(bundleHash);
    if (network !== this.network) return;
    this.decisions.take(row);
    if (bySystem && action === 'publish' && head !== undefined) {
      this.publishedHeads.set(subject, head);
      if (runId !== undefined) this.publishingRuns.set(subject, runId);
    }
    if (bySystem && action === 'archive' && runId !== undefined) {
      this.archives.set(runId, { historyHash: historyHash ?? '', bundleHash: bundleHash ?? null });
    }
  }

  /** The log has the publication with the head that the chain has. @throws Mismatch */
  requirePublication(dossier: Dossier): string {
    const subject = subjectOf(dossier);
    const head = dossier.entries.at(-1)?.head ?? null;
    const place = { table: 'audit_log', row: subject };
    requireSame(place, 'detail.head', this.publishedHeads.get(subject) ?? '(no row)', head);
    this.decisions.requireApproval(dossier);
    return `${this.rows} rows chained; ${rowOf(dossier)} published with head ${head}`;
  }

  /** What the log has of the archived history is what is archived; none is lacking that the log has. @throws Mismatch */
  requireArchive(dossier: Dossier): void {
    const runId = this.publishingRuns.get(subjectOf(dossier));
    const logged = runId === undefined ? undefined : this.archives.get(runId);
    const { archive } = dossier;
    if (archive === null && logged === undefined) return;
    const place = { table: 'history_archive', row: archive?.runId ?? runId! };
    requireSame(place, 'run_id', archive?.runId ?? NO_ROW, runId ?? NO_ROW);
    requireSame(place, 'history_hash', archive!.sha256, logged?.historyHash ?? NO_ROW);
    requireSame(place, 'bundle_hash', archive!.bundleHash, logged!.bundleHash);
  }

  /** A workflow bundle that is not here was never kept. @throws Mismatch */
  requireNeverKept(bundleHash: string): void {
    if (!this.keptBundles.has(bundleHash)) return;
    requireSame({ table: 'workflow_bundle', row: bundleHash }, 'bundle_hash', NO_ROW, bundleHash);
  }
}

const subjectOf = ({ epoch, revision }: Dossier): string => `epoch ${epoch} revision ${revision}`;

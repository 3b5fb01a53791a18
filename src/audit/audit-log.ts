import { type Hashes, sha256Hex } from '../proofs/hashes';
import type { LoggedRow } from '../store/audit-log';
import { requireSame } from './difference';
import type { Dossier } from './dossier';
import { rowOf } from './dossier';

const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** What the audit log says of publications and archives, gathered while its chain is walked. */
export class AuditLogWalk {
  rows = 0;
  private hash = FIRST_PREVIOUS_HASH;
  private readonly publishedHeads = new Map<string, string>();
  private readonly archiveHashes = new Map<string, string>();

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
    if (row.network !== this.network) return;
    const { head, runId, historyHash } = row.detail as Record<string, string>;
    if (row.action === 'publish' && head !== undefined) this.publishedHeads.set(row.subject, head);
    if (row.action === 'archive' && runId !== undefined) this.archiveHashes.set(runId, historyHash ?? '');
  }

  /** The log has the publication with the head that the chain has. @throws Mismatch */
  requirePublication(dossier: Dossier): string {
    const subject = `epoch ${dossier.epoch} revision ${dossier.revision}`;
    const head = dossier.entries.at(-1)?.head ?? null;
    const place = { table: 'audit_log', row: subject };
    requireSame(place, 'detail.head', this.publishedHeads.get(subject) ?? '(no row)', head);
    return `${this.rows} rows chained; ${rowOf(dossier)} published with head ${head}`;
  }

  /** The log has the hash of the archived history. @throws Mismatch */
  requireArchive(runId: string, sha256: string): void {
    requireSame(
      { table: 'history_archive', row: runId },
      'history_hash',
      sha256,
      this.archiveHashes.get(runId) ?? '(no row)',
    );
  }
}

import { AuditLogWalk } from '../audit/audit-log';
import { Mismatch } from '../audit/difference';
import { nodeHashes } from '../hashing/node-hashes';
import { auditRows } from '../store/audit-log';
import { type AuditLogRow, firstUnchained, listAuditLog } from '../store/audit-log-reports';
import { getNetwork } from '../store/networks';
import { unchangingView } from '../store/pool';
import { actAs, transactionAs } from '../store/rights';
import type { CommandContext } from './context';

export interface AuditLogVerdict {
  readonly holds: boolean;
  readonly rows: number;
  /** Hash of the newest row; null: the log is empty. Kept outside, it shows later whether the log was cut. */
  readonly head: string | null;
  /** What does not hold, by entry; null: all does. */
  readonly problem: string | null;
}

/** Rows of a network, newest first. @throws StoreError `NetworkUnknown`, `RightMissing` */
export function readAuditLog(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  wanted: Parameters<typeof listAuditLog>[2],
): Promise<readonly AuditLogRow[]> {
  return transactionAs(context.pool, 'settle_auditor', async (client) => {
    await getNetwork(client, network);
    return listAuditLog(client, network, wanted);
  });
}

const ROWS_AT_ONCE = 5_000;

/**
 * Recomputes the audit log's hash chain twice on one view of it: row by row here, and by the function that the
 * database wrote it with. Who can change rows can change that function, too, but not this code with it.
 */
export function verifyAuditLog(context: Pick<CommandContext, 'pool'>): Promise<AuditLogVerdict> {
  return unchangingView(context.pool, async (client) => {
    await actAs(client, 'settle_auditor');
    const walk = new AuditLogWalk('', await nodeHashes());
    let head: string | null = null;
    try {
      for (;;) {
        const rows = await auditRows(client, walk.rows, ROWS_AT_ONCE);
        for (const row of rows) {
          walk.take(row);
          head = row.hash;
        }
        if (rows.length < ROWS_AT_ONCE) break;
      }
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      return { holds: false, rows: walk.rows, head, problem: error.message };
    }
    const entry = await firstUnchained(client);
    const problem = entry === null ? null : `entry ${entry}: the database's own function gives another hash`;
    return { holds: problem === null, rows: walk.rows, head, problem };
  });
}

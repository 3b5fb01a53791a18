import type { Command } from 'commander';
import { type AuditLogVerdict, readAuditLog, verifyAuditLog } from '../commands/audit-log';
import type { AuditLogRow } from '../store/audit-log-reports';
import { countArgument } from './arguments';
import { CommandEnds } from './errors';
import { EXIT } from './exit-codes';
import { group, networkOption } from './groups';
import type { Io } from './io';
import { withDatabase } from './open';
import type { Column } from './output';

/** `settle audit-log list|verify`: who did what and why, and whether the record of it is whole. */
export function register(program: Command, io: Io): void {
  const auditLog = group(program, 'audit-log');
  auditLog
    .command('list')
    .description('what was done and what was refused, newest first')
    .option('--refused', 'only what was refused')
    .option('--limit <rows>', 'at most so many', countArgument, 50)
    .addOption(networkOption())
    .action(({ network, refused, limit }) =>
      withDatabase(io, async (session) => {
        const rows = await readAuditLog(session, network, { refusedOnly: refused === true, limit });
        io.sheet({ columns: COLUMNS, rows, empty: 'Nothing is on record.' });
      }),
    );
  auditLog
    .command('verify')
    .description('recompute the hash chain of all networks, here and by the database; exit 5 on a difference')
    .action(() =>
      withDatabase(io, async (session) => {
        const verdict = await verifyAuditLog(session);
        io.account({ value: verdict, human: () => verdictText(verdict) });
        if (!verdict.holds) throw new CommandEnds(EXIT.mismatch);
      }),
    );
}

const verdictText = (verdict: AuditLogVerdict): string =>
  verdict.holds
    ? `All ${verdict.rows} rows of the audit log are chained; the newest hash is ${verdict.head}.`
    : `The audit log is not what was written: ${verdict.problem}.`;

const COLUMNS: readonly Column<AuditLogRow>[] = [
  { key: 'entry', title: 'Entry', type: 'count', value: (r) => r.entry },
  { key: 'at', title: 'At', type: 'id', value: (r) => r.at },
  { key: 'actor', title: 'Actor', type: 'text', value: (r) => r.actor },
  { key: 'action', title: 'Action', type: 'id', value: (r) => r.action },
  { key: 'subject', title: 'Of', type: 'text', value: (r) => r.subject },
  { key: 'outcome', title: 'Outcome', type: 'id', value: (r) => r.outcome },
  { key: 'reason', title: 'Reason', type: 'text', value: (r) => r.reason },
  { key: 'request_id', type: 'id', value: (r) => r.requestId },
  { key: 'detail', type: 'text', value: (r) => JSON.stringify(r.detail) },
  { key: 'hash', type: 'id', value: (r) => r.hash },
];

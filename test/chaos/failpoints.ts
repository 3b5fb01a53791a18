/**
 * Failpoints: the places between two effects of the system where a process can be made to die. They come from outside
 * the product: a statement is seen where it goes to the database, a call where it goes to Temporal, and the points that
 * activities name (`deps.reached`) by the function that the worker is handed. No option, file or variable of the product
 * reaches them, so they cannot be switched on where it runs.
 */

/** Statements of a worker's activities, and the points that they name themselves. */
const OF_ACTIVITIES = {
  nextDue: ['done'],
  gather: ['done'],
  seal: ['before insert seal', 'before commit', 'after commit', 'frozen', 'read', 'before insert snapshot', 'done'],
  derive: ['before insert computation', 'after insert computation', 'before-commit', 'after commit', 'done'],
  reward: ['computed', 'before delete payout', 'before copy', 'copied', 'before commit', 'after commit', 'done'],
  check: ['computed', 'before insert result', 'after insert result', 'before insert hold', 'done'],
  publish: [
    'before select network',
    'after select network',
    'before insert chain_entry',
    'after insert chain_entry',
    'before insert ledger_posting',
    'after insert ledger_posting',
    'before-commit',
    'before commit',
    'after commit',
    'committed',
    'done',
  ],
  prove: [
    'before insert claim',
    'after insert claim',
    'before insert chain_entry',
    'after insert chain_entry',
    'before-commit',
    'before commit',
    'after commit',
    'committed',
    'done',
  ],
  archiveHistories: ['before insert history_archive', 'before commit', 'after commit'],
} as const;

const OF_DISPUTE_ACTIVITIES = {
  correctSnapshot: ['read', 'before insert corrected_snapshot', 'after insert corrected_snapshot', 'done'],
  deriveDispute: ['before insert computation', 'before commit', 'after commit', 'done'],
  publishDispute: [
    'after select network',
    'before insert chain_entry',
    'after insert chain_entry',
    'before insert ledger_posting',
    'before-commit',
    'before commit',
    'after commit',
    'committed',
    'done',
  ],
  readDispute: ['done'],
} as const;

const COMMITTED = ['before commit', 'after commit'] as const;

/** Commands of an operator: their statements, and their calls to Temporal. */
const OF_COMMANDS = {
  'make-network': ['before insert network', 'before insert load', 'before copy', 'after insert load', ...COMMITTED],
  'epoch-run': ['before insert request', ...COMMITTED, 'before start', 'after start'],
  'hold-approve': ['before insert hold_decision', ...COMMITTED, 'before update', 'after update'],
  'dispute-open': [
    'before insert request',
    'before insert dispute',
    'after insert dispute',
    'before insert correction',
    ...COMMITTED,
    'before start',
    'after start',
  ],
  'dispute-approve': [
    'before insert dispute_decision',
    'after insert dispute_decision',
    ...COMMITTED,
    'before update',
    'after update',
  ],
  'payment-create': [
    'after select network',
    'before insert request',
    'after insert request',
    'before fold entitlements',
    'after fold entitlements',
    'before insert payment_batch',
    'after insert payment_batch',
    'before insert payment_line',
    'after insert payment_line',
    ...COMMITTED,
  ],
  'payment-approve': ['before insert payment_decision', 'after insert payment_decision', ...COMMITTED],
  'payment-confirm': [
    'before insert payment_confirmation',
    'after insert payment_confirmation',
    'before insert ledger_posting',
    'after insert ledger_posting',
    ...COMMITTED,
  ],
  'payment-fail': ['before insert payment_failure', 'after insert payment_failure', ...COMMITTED],
} as const;

const named = (acts: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  Object.entries(acts).flatMap(([act, points]) => points.map((point) => `${act}: ${point}`));

/** Where a worker dies: `publish: before commit`. */
export const WORKER_POINTS: readonly string[] = [...named(OF_ACTIVITIES), ...named(OF_DISPUTE_ACTIVITIES)];
/** Where a command dies: `payment-create: after insert payment_line`. */
export const COMMAND_POINTS: readonly string[] = named(OF_COMMANDS);

/** What a statement does, to which table; null: nothing that a crash could fall between. */
export function statementName(sql: string): string | null {
  const text = sql.trim().replace(/\s+/g, ' ').toLowerCase();
  if (/^(begin|commit|rollback)\b/.test(text)) return text.split(' ')[0]!;
  if (text.startsWith('copy')) return text.includes('from stdin') ? 'copy' : null;
  const changed = /\b(insert into|delete from) (?:settle\.)?([a-z_]+)/.exec(text);
  if (changed !== null) return `${changed[1]!.split(' ')[0]} ${changed[2]}`;
  if (text.includes('fold_entitlements(')) return 'fold entitlements';
  if (/from network\b.* for update/.test(text)) return 'select network';
  return null;
}

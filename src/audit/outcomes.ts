import { type Difference, Mismatch } from './difference';

/** The checks of an audit, in the order in which they are made; docs/audit.md says what each proves. */
export const CHECKS = [
  'rows',
  'policy',
  'recompute',
  'second',
  'guards',
  'breakers',
  'digests',
  'chain',
  'claims',
  'ledger',
  'history',
  'replay',
  'audit-log',
  'witness',
] as const;
export type CheckName = (typeof CHECKS)[number];

export interface CheckOutcome {
  readonly check: CheckName;
  readonly epoch: number | null;
  readonly revision: number | null;
  readonly outcome: 'ok' | 'failed' | 'skipped';
  /** What was compared, why it was skipped, or what is wrong. */
  readonly detail: string;
  readonly difference: Difference | null;
}

/** Thrown by a check that has nothing to look at. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

type Subject = Pick<CheckOutcome, 'epoch' | 'revision'>;

/** Runs a check; it returns what it compared, or throws. Whatever else goes wrong in it is a failure of the check. */
export function checked(check: CheckName, subject: Subject, run: () => string): CheckOutcome {
  const named = { check, epoch: subject.epoch, revision: subject.revision };
  try {
    return { ...named, outcome: 'ok', detail: run(), difference: null };
  } catch (error) {
    return failedBy(named, error);
  }
}

function failedBy(named: Pick<CheckOutcome, 'check' | 'epoch' | 'revision'>, error: unknown): CheckOutcome {
  if (error instanceof Skipped) return { ...named, outcome: 'skipped', detail: error.message, difference: null };
  const difference = error instanceof Mismatch ? error.difference : null;
  // What was tampered with may be no number, no JSON, no row: then the words of whoever stumbled over it are shown.
  const detail = error instanceof Error ? error.message : String(error);
  return { ...named, outcome: 'failed', detail, difference };
}

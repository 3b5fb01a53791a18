import type { Amount } from '../numbers/units';

/**
 * What is owed to a provider (spec §10): its entitlement less what was paid and less what is on its way in a batch.
 * Below zero it is a receivable, which its next payouts meet.
 *
 * Guarantees: due - receivable = entitlement - paid - inFlight, exactly, and one of the two is 0.
 */
export interface Account {
  readonly provider: string;
  /** Sum of published amounts and adjustments; an adjustment can lower it, never below 0. */
  readonly entitlement: Amount;
  /** Sum of confirmed payments. */
  readonly paid: Amount;
  /** Lines of batches that are neither rejected, failed nor confirmed, as far as they are unconfirmed. */
  readonly inFlight: Amount;
}

export interface Balance {
  readonly due: Amount;
  readonly receivable: Amount;
}

export function balanceOf(account: Account): Balance {
  const rest = account.entitlement - account.paid - account.inFlight;
  return rest >= 0n
    ? { due: rest as Amount, receivable: 0n as Amount }
    : { due: 0n as Amount, receivable: -rest as Amount };
}

/** A provider's account with the payee in force; null: nobody is named to be paid. */
export interface PayableAccount extends Account {
  readonly payee: string | null;
}

export interface BatchLine {
  readonly provider: string;
  readonly payee: string;
  readonly amount: Amount;
}

export interface BatchPlan {
  readonly lines: readonly BatchLine[];
  readonly total: Amount;
  /** Dues below the minimum, which carry over. */
  readonly carriedOver: { readonly providers: number; readonly amount: Amount };
  /** Dues of providers without a payee, which wait for one. */
  readonly withoutPayee: { readonly providers: number; readonly amount: Amount };
  /** Providers that owe more than they are due. */
  readonly receivables: { readonly providers: number; readonly amount: Amount };
}

/** Plans a batch: one line for every provider whose due is at least `minimum` base units. Lines keep the order given. */
export function planBatch(accounts: Iterable<PayableAccount>, minimum: Amount): BatchPlan {
  const lines: BatchLine[] = [];
  let total = 0n;
  const carriedOver = { providers: 0, amount: 0n };
  const withoutPayee = { providers: 0, amount: 0n };
  const receivables = { providers: 0, amount: 0n };
  const count = (kind: { providers: number; amount: bigint }, amount: bigint) => {
    kind.providers += 1;
    kind.amount += amount;
  };
  for (const account of accounts) {
    const { due, receivable } = balanceOf(account);
    if (receivable > 0n) count(receivables, receivable);
    if (due === 0n) continue;
    if (due < minimum) count(carriedOver, due);
    else if (account.payee === null) count(withoutPayee, due);
    else {
      lines.push({ provider: account.provider, payee: account.payee, amount: due });
      total += due;
    }
  }
  const sums = (kind: { providers: number; amount: bigint }) => ({
    providers: kind.providers,
    amount: kind.amount as Amount,
  });
  return {
    lines,
    total: total as Amount,
    carriedOver: sums(carriedOver),
    withoutPayee: sums(withoutPayee),
    receivables: sums(receivables),
  };
}

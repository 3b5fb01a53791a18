import { accountTotals, derivedEntitlements, foldPosition, foldRows } from '../store/ledger';
import { getNetwork } from '../store/networks';
import { confirmedTotal } from '../store/payments';
import type { CommandContext } from './context';

export interface LedgerCheck {
  readonly name: string;
  readonly holds: boolean;
  /** What was compared; the first difference where it does not hold. */
  readonly detail: string;
}

/** Compares the ledger with what it is derived from (amounts in base units). Changes nothing. */
export async function checkLedger(context: CommandContext, network: string): Promise<readonly LedgerCheck[]> {
  await getNetwork(context.pool, network);
  const totals = new Map(
    (await accountTotals(context.pool, network)).map((total) => [total.account, BigInt(total.amount)]),
  );
  const sum = [...totals.values()].reduce((a, b) => a + b, 0n);
  const derived = await derivedEntitlements(context.pool, network, Number.MAX_SAFE_INTEGER);
  const entitled = derived.reduce((total, row) => total + BigInt(row.entitlement), 0n);
  const confirmed = BigInt(await confirmedTotal(context.pool, network));
  const position = await foldPosition(context.pool, network);
  return [
    { name: 'accounts-balance', holds: sum === 0n, detail: `all accounts sum to ${sum}` },
    {
      name: 'providers-control',
      holds: (totals.get('providers') ?? 0n) === entitled - confirmed,
      detail: `control account ${totals.get('providers') ?? 0n}; payout rows ${entitled} less confirmations ${confirmed} are ${entitled - confirmed}`,
    },
    {
      name: 'paid-control',
      holds: (totals.get('paid') ?? 0n) === confirmed,
      detail: `account ${totals.get('paid') ?? 0n}, confirmations ${confirmed}`,
    },
    await foldCheck(context, network, position),
  ];
}

async function foldCheck(context: CommandContext, network: string, position: number): Promise<LedgerCheck> {
  const folded = new Map(
    (await foldRows(context.pool, network, position)).map((row) => [row.provider, row.entitlement]),
  );
  const derived = await derivedEntitlements(context.pool, network, position);
  const expected = new Map(derived.map((row) => [row.provider, row.entitlement]));
  const differing = [...new Set([...folded.keys(), ...expected.keys()])]
    .sort()
    .find((provider) => folded.get(provider) !== expected.get(provider));
  const detail =
    differing === undefined
      ? `${folded.size} providers folded to chain position ${position}`
      : `provider ${differing}: folded ${folded.get(differing) ?? 'nothing'}, derived ${expected.get(differing) ?? 'nothing'}`;
  return { name: 'entitlement-fold', holds: differing === undefined, detail };
}

import type { Pool } from 'pg';
import { checkLedger, type LedgerCheck } from '../../src/commands/check-ledger';
import { confirmPayments, failPayment } from '../../src/commands/confirm-payments';
import { createBatch, decideBatch } from '../../src/commands/payments';
import { balanceOf } from '../../src/ledger/dues';
import { parseAmount } from '../../src/numbers/amounts';
import type { Amount } from '../../src/numbers/units';
import { accountTotals, providerAccounts } from '../../src/store/ledger';
import type { PaymentBatch } from '../../src/store/payments';
import type { TestDatabase } from '../harness/databases';

/** One operator, one approver, and the wallet between them. */
export const OPERATOR = 'olivia';
export const APPROVER = 'anton';

export const atLeast = (minimum: bigint) => minimum as Amount;

export const acting = (database: TestDatabase, actor: string) => ({ pool: database.viewer, actor });

export function made(
  database: TestDatabase,
  network: string,
  knobs: { readonly minimum?: bigint; readonly requestId?: string; readonly actor?: string } = {},
): Promise<PaymentBatch> {
  return createBatch(acting(database, knobs.actor ?? OPERATOR), {
    network,
    minimum: atLeast(knobs.minimum ?? 1n),
    requestId: knobs.requestId ?? null,
  });
}

export function decided(
  database: TestDatabase,
  network: string,
  batch: number,
  outcome: 'approved' | 'rejected' = 'approved',
  actor = APPROVER,
  linesDigest: string | null = null,
): Promise<PaymentBatch> {
  const decision = { network, batch, outcome, reason: 'compared with the statement', linesDigest, requestId: null };
  return decideBatch(acting(database, actor), decision);
}

type Confirming = readonly [provider: string, reference: string, amount: string | bigint];

function reported(
  database: TestDatabase,
  network: string,
  batch: number,
  lateReason: string | null,
  of: readonly Confirming[],
) {
  const confirmations = of.map(([provider, reference, amount]) => ({ provider, reference, amount: String(amount) }));
  return confirmPayments(acting(database, OPERATOR), { network, batch, confirmations, lateReason, requestId: null });
}

export const confirmed = (database: TestDatabase, network: string, batch: number, ...of: readonly Confirming[]) =>
  reported(database, network, batch, null, of);

/** Of lines that were given up. */
export const confirmedLate = (database: TestDatabase, network: string, batch: number, ...of: readonly Confirming[]) =>
  reported(database, network, batch, LATE_REASON, of);

export const LATE_REASON = 'the transfer was found in a block after all';

export function givenUp(database: TestDatabase, network: string, batch: number, provider: string) {
  const line = { network, batch, provider, reason: 'the wallet refused', requestId: null };
  return failPayment(acting(database, OPERATOR), line);
}

export interface Standing {
  readonly entitlement: bigint;
  readonly paid: bigint;
  readonly inFlight: bigint;
  readonly due: bigint;
  readonly receivable: bigint;
}

/** Providers' accounts by name. */
export async function standings(pool: Pool, network: string): Promise<Readonly<Record<string, Standing>>> {
  const rows = await providerAccounts(pool, network);
  return Object.fromEntries(
    rows.map((row) => {
      const account = {
        provider: row.provider,
        entitlement: parseAmount(row.entitlement),
        paid: parseAmount(row.paid),
        inFlight: parseAmount(row.in_flight),
      };
      const { entitlement, paid, inFlight } = account;
      return [row.provider, { entitlement, paid, inFlight, ...balanceOf(account) }];
    }),
  );
}

export async function totals(pool: Pool, network: string): Promise<Readonly<Record<string, bigint>>> {
  return Object.fromEntries(
    (await accountTotals(pool, network)).map(({ account, amount }) => [account, BigInt(amount)]),
  );
}

/** What does not hold of the ledger; empty: all of it follows from the rows. */
export async function ledgerFaults(pool: Pool, network: string): Promise<readonly LedgerCheck[]> {
  return (await checkLedger({ pool }, network)).filter((check) => !check.holds);
}

/**
 * Entitlements by another road than the store's: every published revision's payouts, added as revision 1 and the
 * differences after it.
 */
export async function entitledByAdjustments(database: TestDatabase, network: string): Promise<Map<string, bigint>> {
  const found = await database.superuser.query<{ epoch: number; revision: number; provider: string; amount: string }>(
    `select epoch, revision, provider, amount::text from settle.payout
     join settle.chain_entry using (network, epoch, revision, computation)
     where kind = 'revision' and network = $1 order by epoch, revision`,
    [network],
  );
  const revisions = new Map<string, Map<string, bigint>>();
  for (const row of found.rows) {
    const key = `${row.epoch}/${row.revision}`;
    revisions.set(key, (revisions.get(key) ?? new Map()).set(row.provider, BigInt(row.amount)));
  }
  const entitled = new Map<string, bigint>();
  const add = (provider: string, amount: bigint) => entitled.set(provider, (entitled.get(provider) ?? 0n) + amount);
  for (const [key, amounts] of revisions) {
    const [epoch, revision] = key.split('/').map(Number) as [number, number];
    const before = revisions.get(`${epoch}/${revision - 1}`) ?? new Map<string, bigint>();
    for (const provider of new Set([...amounts.keys(), ...before.keys()])) {
      add(provider, (amounts.get(provider) ?? 0n) - (before.get(provider) ?? 0n));
    }
  }
  return entitled;
}

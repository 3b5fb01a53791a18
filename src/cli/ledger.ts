import type { Command } from 'commander';
import { checkLedger, type LedgerCheck } from '../commands/check-ledger';
import { balanceOf } from '../ledger/dues';
import { parseAmount } from '../numbers/amounts';
import { type AccountTotal, accountTotals, type ProviderAccountRow, providerAccounts } from '../store/ledger';
import { getNetwork } from '../store/networks';
import { LAST_EPOCH } from './arguments';
import { CommandEnds } from './errors';
import { EXIT } from './exit-codes';
import { archiveOption, group, networkOption } from './groups';
import type { Io } from './io';
import { broughtFor, withDatabase } from './open';
import type { Column } from './output';

/** `settle ledger …`: accounts, what each provider is due, and the check that all of it follows from the rows. */
export function register(program: Command, io: Io): void {
  const ledger = group(program, 'ledger');
  ledger
    .command('accounts')
    .description('balances of the general ledger; they sum to zero')
    .addOption(networkOption())
    .action(({ network }) =>
      withDatabase(io, async ({ pool }) => {
        await getNetwork(pool, network);
        io.sheet({
          columns: ACCOUNT_COLUMNS,
          rows: await accountTotals(pool, network),
          empty: 'Nothing is booked yet.',
        });
      }),
    );
  ledger
    .command('due')
    .description('what each provider is entitled to, was paid, and is due or owes')
    .addOption(networkOption())
    .action(({ network }) =>
      withDatabase(io, async ({ pool }) => {
        await getNetwork(pool, network);
        io.sheet({
          columns: DUE_COLUMNS,
          rows: await providerAccounts(pool, network),
          empty: 'Nobody is entitled to anything yet.',
        });
      }),
    );
  ledger
    .command('check')
    .description('derive the ledger again from the rows and compare; exit 5 on a difference')
    .addOption(networkOption())
    .addOption(archiveOption())
    .action(({ network, archive }) =>
      withDatabase(
        io,
        async (session) => {
          const checks = await checkLedger(session, network);
          io.sheet({ columns: CHECK_COLUMNS, rows: checks, empty: '' });
          if (checks.some((check) => !check.holds)) throw new CommandEnds(EXIT.mismatch);
        },
        broughtFor(archive, { network, first: 0, last: LAST_EPOCH, allPayouts: true }),
      ),
    );
}

const ACCOUNT_COLUMNS: readonly Column<AccountTotal>[] = [
  { key: 'account', title: 'Account', type: 'id', value: (a) => a.account },
  { key: 'amount', title: 'Balance (base units)', type: 'amount', value: (a) => a.amount },
];

const balance = (row: ProviderAccountRow) =>
  balanceOf({
    provider: row.provider,
    entitlement: parseAmount(row.entitlement),
    paid: parseAmount(row.paid),
    inFlight: parseAmount(row.in_flight),
  });

const DUE_COLUMNS: readonly Column<ProviderAccountRow>[] = [
  { key: 'provider', title: 'Provider', type: 'id', value: (r) => r.provider },
  { key: 'payee', type: 'id', value: (r) => r.payee },
  { key: 'entitlement', title: 'Entitled (base units)', type: 'amount', value: (r) => r.entitlement },
  { key: 'paid', title: 'Paid', type: 'amount', value: (r) => r.paid },
  { key: 'in_flight', title: 'In batches', type: 'amount', value: (r) => r.in_flight },
  { key: 'due', title: 'Due', type: 'amount', value: (r) => balance(r).due.toString() },
  { key: 'receivable', title: 'Receivable', type: 'amount', value: (r) => balance(r).receivable.toString() },
];

const CHECK_COLUMNS: readonly Column<LedgerCheck>[] = [
  { key: 'check', title: 'Check', type: 'id', value: (c) => c.name },
  { key: 'holds', title: 'Holds', type: 'flag', value: (c) => c.holds },
  { key: 'detail', title: 'What was compared', type: 'text', value: (c) => c.detail },
];

import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in ledger, claims and payments (spec §7, §9, §10). */
export const MONEY_BUGS: readonly SeededBug[] = [
  {
    id: 'rest-not-to-treasury',
    mistake: 'what is unallocated is not booked to the treasury: only what was paid counts as issued',
    file: 'src/store/ledger.ts',
    find: `('emission', -(own.content ->> 'pool')::numeric),
         ('treasury', (own.content ->> 'unallocated')::numeric),`,
    replace: `('emission', -(own.content ->> 'sum')::numeric),
         ('treasury', 0 * (own.content ->> 'unallocated')::numeric),`,
    caughtBy: tests(
      'test/ledger/payments.test.ts',
      'after settling: the pools are split between providers and treasury, and all accounts sum to zero',
    ),
  },
  {
    id: 'adjustment-booked-twice',
    mistake: 'the adjustments of a revision are booked twice, balanced each time',
    file: 'src/store/ledger.ts',
    find: `select p.account, p.amount from own, before`,
    replace: `select p.account, 2 * p.amount from own, before`,
    caughtBy: tests(
      'test/ledger/adjustments.test.ts',
      'a fold of before it and the derivation agree, and the accounts move by the adjustments',
    ),
  },
  {
    id: 'revision-booked-whole',
    mistake: 'a revision books its amounts, and not what changed since the one before',
    file: 'src/store/claims.ts',
    find: 'coalesce(published.amount, 0) - coalesce(superseded.amount, 0) as adjustment',
    replace: 'coalesce(published.amount, 0) as adjustment',
    caughtBy: tests(
      'test/disputes/revisions.test.ts',
      'adjustments are booked to the payee in force at the corrected snapshot; what was claimed stays claimable',
    ),
  },
  {
    id: 'claims-fall',
    mistake: 'what a payee may have claimed in all falls with its entitlement',
    file: 'src/store/claims.ts',
    find: 'select $1::text, $5::bigint, payee, entitlement, greatest(cumulative, entitlement)',
    replace: 'select $1::text, $5::bigint, payee, entitlement, greatest(0, entitlement)',
    caughtBy: tests(
      'test/disputes/revisions.test.ts',
      'a provider that leaves the epoch gives back what it was paid, and its claim never falls',
    ),
  },
  {
    id: 'receivable-forgotten',
    mistake: 'what a provider owes is forgiven instead of met by its next payouts',
    file: 'src/ledger/dues.ts',
    find: ': { due: 0n as Amount, receivable: -rest as Amount };',
    replace: ': { due: 0n as Amount, receivable: 0n as Amount };',
    caughtBy: [
      ...tests(
        'test/ledger/dues.test.ts',
        'due less receivable is entitlement less paid less in flight, and one of the two is 0',
      ),
      ...tests('test/ledger/adjustments.test.ts', 'a batch that would pay more than is due by now is refused, by name'),
    ],
  },
  {
    id: 'paid-twice-in-flight',
    mistake: 'what is on its way in an open batch is due again',
    file: 'src/ledger/dues.ts',
    find: 'const rest = account.entitlement - account.paid - account.inFlight;',
    replace: 'const rest = account.entitlement - account.paid;',
    caughtBy: [
      ...tests(
        'test/ledger/dues.test.ts',
        'a batch takes everything: planned again with it on its way, nothing is left to plan',
      ),
      ...tests(
        'test/ledger/payments.test.ts',
        'F24: ten at once: exactly one batch gets the money, nine are told whose and since when',
      ),
    ],
  },
  {
    id: 'minimum-carried-over',
    mistake: 'a due of exactly the minimum is carried over',
    file: 'src/ledger/dues.ts',
    find: 'if (due < minimum) count(carriedOver, due);',
    replace: 'if (due <= minimum) count(carriedOver, due);',
    caughtBy: tests(
      'test/ledger/dues.test.ts',
      'a due of exactly the minimum is paid, one base unit less carries over',
    ),
  },
  {
    id: 'confirmation-booked-again',
    mistake: 'a confirmation that comes a second time is a conflict instead of the same one again',
    file: 'src/commands/confirm-payments.ts',
    find: 'if (before === amount) return false;',
    replace: '',
    caughtBy: tests('test/ledger/payments.test.ts', 'F26: the same again changes nothing, in one file and in another'),
  },
  {
    id: 'line-overpaid',
    mistake: 'each confirmation is compared with the whole line, and not with what is open of it',
    file: 'src/commands/confirm-payments.ts',
    find: 'rest: BigInt(line.amount) - BigInt(line.confirmed)',
    replace: 'rest: BigInt(line.amount)',
    caughtBy: tests(
      'test/ledger/payments.test.ts',
      'a line that was confirmed in part takes the rest and not a base unit more',
    ),
  },
  {
    id: 'batch-self-approved',
    mistake: 'who made a batch may approve it',
    file: 'src/commands/payments.ts',
    find: 'if (createdBy === context.actor) {',
    replace: "if (createdBy === '') {",
    caughtBy: tests(
      'test/ledger/payments.test.ts',
      'is approved by somebody else than its maker; the attempt is on record',
    ),
  },
  {
    id: 'old-payee-paid',
    mistake: 'a batch is approved although a provider has named another payee since',
    file: 'src/commands/payments.ts',
    find: 'if (account?.payee !== payee) {',
    replace: "if (account?.payee === '') {",
    caughtBy: tests(
      'test/ledger/mistaken.test.ts',
      'was changed since the batch was made: it is not approved, and another pays the new one',
    ),
  },
  {
    id: 'transfer-booked-twice',
    mistake: 'a transfer that is booked for another batch is taken as booked for this one',
    file: 'src/commands/confirm-payments.ts',
    find: 'if (written < fresh.length) throw',
    replace: 'if (written > fresh.length) throw',
    caughtBy: [
      ...tests('test/ledger/mistaken.test.ts', 'the confirmations of another batch, given by mistake, book nothing'),
      ...tests(
        'test/ledger/one-transfer.test.ts',
        'F11: two transactions at once with one reference: the second waits, and is told what the first booked',
      ),
    ],
  },
  {
    id: 'late-without-flag',
    mistake: 'the command leaves it to the database to refuse what was given up and is not said to be late',
    file: 'src/commands/confirm-payments.ts',
    find: 'if (line.failed && lateReason === null) {',
    replace: "if (line.failed && lateReason === '') {",
    caughtBy: tests(
      'test/ledger/late.test.ts',
      'without the flag it is the conflict that it was, which tells the flag; nothing is booked',
    ),
  },
  {
    id: 'paid-twice-untold',
    mistake: 'nobody is told that a line of a later batch would pay what came late',
    file: 'src/commands/payments.ts',
    find: 'if (providers.has(account.provider) && receivable > 0n)',
    replace: 'if (providers.has(account.provider) && receivable < 0n)',
    caughtBy: tests(
      'test/ledger/late.test.ts',
      'the line that would pay twice is given up, as the warning says: nothing is owed, and nothing is due',
      'a batch that waits for approval is named too, and is no longer approved',
    ),
  },
  {
    id: 'approval-of-a-number',
    mistake: 'the wallet gets whatever lines an approved batch has, and not those that were approved',
    file: 'src/commands/payments.ts',
    find: 'if (found !== decidedDigest) {',
    replace: "if (found === '') {",
    caughtBy: tests(
      'test/ledger/approved-lines.test.ts',
      'S4: lines that are not those that were approved: the wallet gets nothing, and the check names the batch',
    ),
  },
  {
    id: 'payee-not-digested',
    mistake: 'an approval is bound to providers and amounts, and not to who is paid',
    file: 'src/ledger/lines-digest.ts',
    find: '[provider, payee, amount] as const);',
    replace: '[provider, provider, amount] as const);',
    caughtBy: tests(
      'test/ledger/lines-digest.test.ts',
      'is SHA-256 over provider,payee,amount lines by provider, bytes before letters',
    ),
  },
  {
    id: 'failed-line-never-due',
    mistake: 'a line that was given up still counts as on its way',
    file: 'src/store/ledger.ts',
    find: `and not exists (select from payment_failure f where f.network = $1 and f.batch = l.batch and f.provider = l.provider)`,
    replace: '',
    caughtBy: tests(
      'test/ledger/payments.test.ts',
      'a failed line is due again, less what was confirmed; a late confirmation of it is a conflict',
    ),
  },
];

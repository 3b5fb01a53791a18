import type { Command } from 'commander';
import type { TokenAmount } from '../../explain/figures';
import type { LineExplanation } from '../../explain/payout-explanation';
import type { ExplainedPayout } from '../../explain/payout-standing';
import { epochArgument } from '../arguments';
import { archiveOption, networkOption } from '../groups';
import type { Io } from '../io';
import type { Account, Sheet } from '../output';
import { explanationText } from './explanation-text';
import { snakeKeys } from './json-keys';

interface ExplainOptions {
  readonly network: string;
  readonly archive?: readonly string[];
}

export function register(program: Command, io: Io): void {
  program
    .command('explain')
    .description('one payout, from its inputs to the last digit')
    .argument('<epoch>', 'which epoch', epochArgument)
    .argument('<provider>', 'whose payout')
    .addOption(networkOption())
    .addOption(archiveOption())
    .action(async (epoch: number, provider: string, { network, archive }: ExplainOptions) => {
      const { broughtFor, withDatabase } = await import('../open.js');
      const { explainProviderPayout } = await import('../../queries/explain-payout.js');
      const found = await withDatabase(
        io,
        ({ pool: db }) => explainProviderPayout(db, network, epoch, provider),
        broughtFor(archive, { network, first: epoch, last: epoch, allPayouts: false }),
      );
      io.account(explanationAccount(found, io.width));
    });
}

function explanationAccount(explanation: ExplainedPayout, width: number): Account {
  return {
    value: snakeKeys(explanation),
    human: (colors) => explanationText(explanation, colors, width),
    sheet: stepSheet(explanation) as unknown as Sheet<never>,
  };
}

/**
 * A row of the explanation as CSV. First what is known of the payout: its revisions, adjustments and payments; then the
 * steps from the lines to the amount, where those that are added or taken away come to the last one.
 */
export interface PayoutStep {
  readonly step: 'revision' | 'adjustment' | 'payment' | 'line' | 'gross' | 'cap' | 'scaling' | 'amount';
  /** Of a revision or an adjustment; else the one that is explained. */
  readonly revision: number;
  readonly market: string | null;
  readonly line: LineExplanation | null;
  /** Signed: cuts are below zero, and so may an adjustment be. */
  readonly amount: TokenAmount;
  /** Of a payment: batch and reference; of a revision: its content digest. */
  readonly reference: string | null;
}

/** gross is the sum of the lines before it, amount that of gross and the cuts. */
export function payoutSteps(found: ExplainedPayout): readonly PayoutStep[] {
  const { lines, gross, cap, scaling, amount, revisions, payments, revision } = found;
  const plain = (step: PayoutStep['step'], of: TokenAmount, more: Partial<PayoutStep> = {}): PayoutStep => {
    return { step, revision, market: null, line: null, amount: of, reference: null, ...more };
  };
  return [
    ...revisions.map((one) => plain('revision', one.amount, { revision: one.revision, reference: one.contentDigest })),
    ...revisions.flatMap((one) =>
      one.adjustment === null ? [] : [plain('adjustment', one.adjustment, { revision: one.revision })],
    ),
    ...payments.map((one) => plain('payment', one.amount, { reference: `${one.batch}/${one.reference}` })),
    ...lines.map((line) => plain('line', line.gross, { market: line.market, line })),
    plain('gross', gross),
    plain('cap', negative(cap.cut)),
    plain('scaling', negative(scaling.cut)),
    plain('amount', amount),
  ];
}

function negative({ baseUnits, tokens }: TokenAmount): TokenAmount {
  return baseUnits === '0' ? { baseUnits, tokens } : { baseUnits: `-${baseUnits}`, tokens: `-${tokens}` };
}

function stepSheet(explanation: ExplainedPayout): Sheet<PayoutStep> {
  const line = (of: (line: LineExplanation) => string | null) => (row: PayoutStep) =>
    row.line === null ? null : of(row.line);
  return {
    columns: [
      { key: 'epoch', type: 'count', value: () => explanation.epoch },
      { key: 'revision', type: 'count', value: (row) => row.revision },
      { key: 'provider', type: 'id', value: () => explanation.provider },
      { key: 'step', type: 'id', value: (row) => row.step },
      { key: 'market', type: 'id', value: (row) => row.market },
      { key: 'offered', type: 'amount', value: line((one) => one.offered) },
      { key: 'served', type: 'amount', value: line((one) => one.served) },
      { key: 'paid_hours', type: 'amount', value: line((one) => one.paidHours) },
      { key: 'price_usd', type: 'amount', value: line((one) => one.priceUsd) },
      { key: 'network_multiplier', type: 'amount', value: line((one) => one.multipliers.network) },
      { key: 'performance_multiplier', type: 'amount', value: line((one) => one.multipliers.performance) },
      { key: 'tokens_per_unit_hour', type: 'amount', value: line((one) => one.tokensPerUnitHour) },
      { key: 'base_units', type: 'amount', value: (row) => row.amount.baseUnits },
      { key: 'tokens', type: 'amount', value: (row) => row.amount.tokens },
      { key: 'reason', type: 'id', value: () => explanation.reason },
      { key: 'reference', type: 'text', value: (row) => row.reference },
    ],
    rows: payoutSteps(explanation),
    empty: '',
  };
}

import type { Command } from 'commander';
import type { TokenAmount } from '../../explain/figures';
import type { LineExplanation, PayoutExplanation } from '../../explain/payout-explanation';
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

function explanationAccount(explanation: PayoutExplanation, width: number): Account {
  return {
    value: snakeKeys(explanation),
    human: (colors) => explanationText(explanation, colors, width),
    sheet: stepSheet(explanation) as unknown as Sheet<never>,
  };
}

/** A step from the lines to the amount; the steps that are added or taken away come to the last one. */
export interface PayoutStep {
  readonly step: 'line' | 'gross' | 'cap' | 'scaling' | 'amount';
  readonly market: string | null;
  readonly line: LineExplanation | null;
  /** Signed: cuts are below zero. */
  readonly amount: TokenAmount;
}

/** gross is the sum of the lines before it, amount that of gross and the cuts. */
export function payoutSteps({ lines, gross, cap, scaling, amount }: PayoutExplanation): readonly PayoutStep[] {
  const plain = (step: PayoutStep['step'], of: TokenAmount): PayoutStep => ({
    step,
    market: null,
    line: null,
    amount: of,
  });
  return [
    ...lines.map((line): PayoutStep => ({ step: 'line', market: line.market, line, amount: line.gross })),
    plain('gross', gross),
    plain('cap', negative(cap.cut)),
    plain('scaling', negative(scaling.cut)),
    plain('amount', amount),
  ];
}

function negative({ baseUnits, tokens }: TokenAmount): TokenAmount {
  return baseUnits === '0' ? { baseUnits, tokens } : { baseUnits: `-${baseUnits}`, tokens: `-${tokens}` };
}

function stepSheet(explanation: PayoutExplanation): Sheet<PayoutStep> {
  const line = (of: (line: LineExplanation) => string | null) => (row: PayoutStep) =>
    row.line === null ? null : of(row.line);
  return {
    columns: [
      { key: 'epoch', type: 'count', value: () => explanation.epoch },
      { key: 'revision', type: 'count', value: () => explanation.revision },
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
    ],
    rows: payoutSteps(explanation),
    empty: '',
  };
}

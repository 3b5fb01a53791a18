import type { Command } from 'commander';
import type { Colors } from 'picocolors/types';
import type { PolicyFileProblem } from '../../inputs/policy-file';
import type { Policy } from '../../rulesets/1/policy';
import { CommandEnds } from '../errors';
import { EXIT } from '../exit-codes';
import { counted, duration } from '../figures';
import { group } from '../groups';
import type { Io } from '../io';
import { type Account, type Column, safeText, sheetTable } from '../output';
import { factLines, heading, indented } from './layout';

export function register(program: Command, io: Io): void {
  group(program, 'policy')
    .command('check')
    .description('validate a policy file and print the hash that it is stored under')
    .argument('<file>', 'the YAML file')
    .action((file: string) => check(io, file));
}

async function check(io: Io, file: string): Promise<void> {
  const { readPolicyFile } = await import('../../commands/create-network.js');
  const { PolicyFileError } = await import('../../inputs/policy-file.js');
  try {
    const { policy, stored } = await readPolicyFile(file);
    io.account(policyAccount(file, policy, stored.policyHash, io.width));
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    if (io.format === 'table') io.data(problemLines(file, error.problems));
    else io.sheet({ columns: problemColumns(file), rows: error.problems, empty: '' });
    const found = counted(error.problems.length, 'problem');
    io.say(`${io.wordColors.red('error:')} ${safeText(file)} is not a policy that can be used: ${found}.`);
    io.say('  next:  correct these lines; docs/spec.md, section 2, says what each key may be.');
    throw new CommandEnds(EXIT.failed);
  }
}

/** One line a problem, as compilers print them: editors jump to it. */
function problemLines(file: string, problems: readonly PolicyFileProblem[]): string {
  return problems
    .map(({ line, path, message }) => `${safeText(`${file}:${line}: ${path === '' ? '' : `${path}: `}${message}`)}\n`)
    .join('');
}

const problemColumns = (file: string): readonly Column<PolicyFileProblem>[] => [
  { key: 'file', type: 'text', value: () => file },
  { key: 'line', type: 'count', value: ({ line }) => line },
  { key: 'key', type: 'text', value: ({ path }) => path },
  { key: 'reason', type: 'text', value: ({ message }) => message },
];

interface MarketRow {
  readonly market: string;
  readonly family: string;
  readonly unit: string;
  readonly basePrice: string;
  readonly floor: string;
  readonly ceiling: string;
  readonly target: string;
  readonly standby: string;
}

const MARKET_COLUMNS: readonly Column<MarketRow>[] = [
  { key: 'market', title: 'Market', type: 'id', value: (row) => row.market },
  { key: 'family', title: 'Family', type: 'id', value: (row) => row.family },
  { key: 'unit', title: 'Unit', type: 'text', value: (row) => row.unit },
  { key: 'base_price', title: 'Base USD', type: 'amount', value: (row) => row.basePrice },
  { key: 'floor', title: 'Floor', type: 'amount', value: (row) => row.floor },
  { key: 'ceiling', title: 'Ceiling', type: 'amount', value: (row) => row.ceiling },
  { key: 'target_utilisation', title: 'Target', type: 'amount', value: (row) => row.target },
  { key: 'standby_share', title: 'Standby', type: 'amount', value: (row) => row.standby },
];

function policyAccount(file: string, policy: Policy, hash: string, width: number): Account {
  const markets = [...policy.markets.values()].map(
    (rules): MarketRow => ({
      market: rules.market,
      family: rules.family,
      unit: rules.unit,
      basePrice: rules.basePrice.toFixed(),
      floor: rules.floor.toFixed(),
      ceiling: rules.ceiling.toFixed(),
      target: rules.targetUtilisation.toFixed(),
      standby: rules.standbyShare.toFixed(),
    }),
  );
  const value = {
    file,
    valid: true,
    name: policy.name,
    hash,
    ruleset: policy.ruleset,
    token: policy.token,
    epoch: { genesis: policy.epoch.genesis, length_seconds: policy.epoch.lengthSeconds },
    markets: markets.map((row) => Object.fromEntries(MARKET_COLUMNS.map((column) => [column.key, column.value(row)]))),
  };
  return { value, human: (colors) => policyText(policy, hash, markets, colors, width) };
}

function policyText(
  policy: Policy,
  hash: string,
  markets: readonly MarketRow[],
  colors: Colors,
  width: number,
): string {
  const { epoch, token, pool, caps } = policy;
  const facts = factLines(
    [
      ['hash', hash],
      ['ruleset', String(policy.ruleset)],
      ['token', `${safeText(token.symbol)}, ${token.decimals} decimals`],
      ['epochs', `one every ${duration(epoch.lengthSeconds)} from ${epoch.genesis} on`],
      [
        'pool',
        `${pool.perEpoch.toFixed()} tokens an epoch, times ${pool.decay.toFixed()} every ${counted(pool.decayEpochs, 'epoch')}`,
      ],
      ['cap', `${caps.providerShare.toFixed()} of the pool for one provider`],
    ],
    colors,
    width,
  );
  const table = sheetTable({ columns: MARKET_COLUMNS, rows: markets, empty: '' }, colors, width - 2);
  return [
    `${heading(safeText(policy.name), '', colors)}  ${colors.green('valid')}`,
    facts,
    `${heading('Markets', 'prices in USD per unit', colors)}\n${indented(table)}`,
  ].join('\n\n');
}

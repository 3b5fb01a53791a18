import type { Command } from 'commander';
import type { ProviderStatement } from '../../ledger/statement';
import { epochArgument, LAST_EPOCH } from '../arguments';
import { UsageError } from '../errors';
import { archiveOption, networkOption } from '../groups';
import type { Io } from '../io';
import { statementSheet, statementText, statementValue } from './statement-text';

interface StatementOptions {
  readonly network: string;
  readonly from?: number;
  readonly to?: number;
  readonly html?: string;
  readonly force?: boolean;
  readonly archive?: readonly string[];
}

export function register(program: Command, io: Io): void {
  program
    .command('statement')
    .description("a provider's account over time: amounts, adjustments, payments, balance")
    .argument('<provider>', 'whose account')
    .option('--from <epoch>', 'the first epoch (default: that of the network)', epochArgument)
    .option('--to <epoch>', 'the last one (default: the last published)', epochArgument)
    .option('--html <file>', 'write it as a page to read and print, with plots, instead')
    .option('--force', 'replace the file if it is there')
    .addOption(networkOption())
    .addOption(archiveOption())
    .action((provider: string, options: StatementOptions) => statement(io, provider, options));
}

async function statement(io: Io, provider: string, options: StatementOptions): Promise<void> {
  const { network, from, to, html, force, archive } = options;
  if (force === true && html === undefined) throw new UsageError('--force belongs to --html FILE.');
  if (from !== undefined && to !== undefined && to < from)
    throw new UsageError(`--to ${to} is before --from ${from}: write the lower epoch in --from.`);
  const { broughtFor, withDatabase } = await import('../open.js');
  const { unchangingView } = await import('../../store/pool.js');
  const { providerStatement } = await import('../../queries/provider-statement.js');
  const range = { first: from ?? null, last: to ?? null };
  const found = await withDatabase(
    io,
    ({ pool }) => unchangingView(pool, (client) => providerStatement(client, network, provider, range)),
    {
      role: 'settle_viewer',
      ...broughtFor(archive, { network, first: from ?? 0, last: to ?? LAST_EPOCH, allPayouts: true }),
    },
  );
  if (found.archivedUpTo !== null) {
    const words = `Epochs to ${found.archivedUpTo} are archived and only in the opening balance: bring them with --archive DIR.`;
    io.say(io.wordColors.dim(words));
  }
  if (html === undefined) print(io, found);
  else await writePage(io, found, html, force === true);
}

function print(io: Io, found: ProviderStatement): void {
  const sheet = statementSheet(found);
  // A line for each row, as CSV has them; the account as a whole is JSON.
  if (io.format === 'jsonl') io.sheet(sheet);
  else {
    io.account({
      value: statementValue(found),
      human: (colors) => statementText(found, colors, io.width),
      sheet: sheet as never,
    });
  }
}

async function writePage(io: Io, found: ProviderStatement, file: string, force: boolean): Promise<void> {
  const { statementPage } = await import('../../exports/statement/page.js');
  const { writeWhole } = await import('../../exports/whole-files.js');
  await writeWhole(file, statementPage(found), force);
  const { network, provider, first, last, statement: account } = found;
  const value = { file, network, provider, first, last, closing_balance: account.closing.balance.toString() };
  io.account({ value, human: () => `${file}: epochs ${first} to ${last} of ${provider}` });
}

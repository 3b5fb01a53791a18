import { type Command, Option } from 'commander';
import { DEFAULT_NETWORK, networkArgument, requestIdArgument } from './arguments';

const GROUPS = {
  epoch: 'run, close and look at epochs',
  hold: 'epochs that wait for a person',
  network: 'networks and their calendars',
  schedule: "the network's alarm clock in Temporal",
  database: 'the database schema',
  price: 'prices and how they were formed',
  payout: 'what providers were paid',
  policy: 'policies, checked, proposed and approved',
  payment: 'paying what is due',
  claims: 'what payees may have claimed, and its proofs',
  ledger: 'accounts, dues, and their check',
  'audit-log': 'who did what and why',
  dispute: 'corrections of published epochs',
} as const;

/** The command that has the others of a subject below it, like `settle epoch`; made when first asked for. */
export function group(program: Command, name: keyof typeof GROUPS): Command {
  const found = program.commands.find((command) => command.name() === name);
  return found ?? program.command(name).description(GROUPS[name]);
}

/** `--network NAME`, the same for every command. */
export function networkOption(): Option {
  return new Option('--network <name>', 'which network').argParser(networkArgument).default(DEFAULT_NETWORK);
}

/** `--archive DIR`, the same for every command that reads rows of old epochs. May be given several times. */
export function archiveOption(): Option {
  const collect = (folder: string, before: readonly string[] | undefined) => [...(before ?? []), folder];
  return new Option(
    '--archive <dir>',
    'where the rows of archived epochs are: an archive, or a folder with archives in it (may be repeated)',
  ).argParser(collect);
}

/** `--request-id ID`, the same for every command that changes something once. */
export function requestIdOption(): Option {
  return new Option('--request-id <id>', 'the same id again returns the first answer').argParser(requestIdArgument);
}

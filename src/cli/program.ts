import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { projectRoot } from '../stack/home';
import * as archive from './archive';
import { formatArgument } from './arguments';
import * as audit from './audit';
import * as auditLog from './audit-log';
import * as bundle from './bundle';
import * as claims from './claims';
import * as database from './database';
import * as diff from './diff';
import * as dispute from './dispute';
import * as epoch from './epoch';
import * as hold from './hold';
import * as imports from './import';
import type { Io } from './io';
import * as ledger from './ledger';
import * as network from './network';
import * as payment from './payment';
import * as policy from './policy';
import * as reading from './read/index';
import * as schedule from './schedule';
import * as start from './start';
import * as worker from './worker';

/** A module of the command line: it adds its commands to the program. */
export interface CommandModule {
  register(program: Command, io: Io): void;
}

/** In the order of the help. */
const MODULES: readonly CommandModule[] = [
  start,
  reading,
  imports,
  network,
  epoch,
  hold,
  dispute,
  diff,
  schedule,
  policy,
  payment,
  ledger,
  worker,
  database,
  audit,
  bundle,
  claims,
  archive,
  auditLog,
];

const EXAMPLES = `Examples:
  settle                                      settle the sample and stay up (the same as \`settle start\`)
  settle start --once                         settle the sample, print, and end
  settle start --once --input DIR --policy FILE --out DIR
                                              settle any bundle in a throw-away home, and export
  settle status                               how the network stands
  settle explain 42 PROVIDER                  one payout, from its inputs to the last digit
  settle hold approve 42 --reason "checked"   let a held epoch be published
`;

/** How the library begins to say that an argument is wrong; what follows is ours. */
const INVALID_ARGUMENT = /^error: command-argument value '(.*)' is invalid for argument '(.*)'\. /s;

/** Every command, each from a file of its own. */
export function createProgram(io: Io): Command {
  const program = new Command('settle')
    .description('Settles the epochs of a decentralised AI-compute network: prices, rewards, payouts, proofs.')
    .option(
      '-o, --output <format>',
      'table, json, jsonl or csv (default: table on a terminal, json elsewhere)',
      formatArgument,
    )
    .option('--no-input', 'never ask anything')
    .option('--debug', 'show the stack of an error')
    .configureHelp({ showGlobalOptions: true, helpWidth: io.width })
    .configureOutput({
      writeOut: (text) => io.data(text),
      writeErr: (text) => io.say(text.trimEnd()),
      outputError: (text, write) => write(text.replace(INVALID_ARGUMENT, "error: '$1' is not understood as <$2>: ")),
    })
    .showHelpAfterError('  next:  add --help to see how it is called.')
    .addHelpText('before', EXAMPLES)
    .version(version(), '-V, --version', 'the version of settle')
    .exitOverride()
    .hook('preAction', (_, action) => {
      const { output, input, debug } = action.optsWithGlobals();
      io.settle({ output: output ?? null, input: input !== false, debug: debug === true });
    });
  for (const module of MODULES) module.register(program, io);
  return program;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

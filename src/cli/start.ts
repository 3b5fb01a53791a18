import { type Command, Option } from 'commander';
import type { EpochRange } from './arguments';
import { DEFAULT_NETWORK, networkArgument, rangeArgument } from './arguments';
import { UsageError } from './errors';
import type { Io } from './io';

/** Where epochs are settled, of what, and what becomes of the results. */
export interface StartPlan {
  readonly network: string;
  readonly once: boolean;
  /** null: the sample, in SETTLE_HOME. */
  readonly bundle: { readonly folder: string; readonly policyFile: string } | null;
  /** null: the epochs that the bundle names. */
  readonly epochs: EpochRange | null;
  readonly holds: 'wait' | 'release';
  readonly out: string | null;
  readonly force: boolean;
}

interface StartOptions {
  readonly once?: boolean;
  readonly input?: string | boolean;
  readonly policy?: string;
  readonly epochs?: EpochRange;
  readonly network: string;
  readonly holds: 'wait' | 'release';
  readonly out?: string;
  readonly force?: boolean;
}

export function register(program: Command, io: Io): void {
  program
    .command('start')
    .description('settle the sample, or any bundle in a throw-away home, and stay up')
    .option('--once', 'end when everything is settled')
    .option('--input <dir>', 'the bundle to settle, in a throw-away home (needs --policy)')
    .option('--policy <file>', 'the policy to settle it with, from its first epoch on')
    .option('--epochs <A..B>', "the network's calendar (default: the epochs of the bundle)", rangeArgument)
    .option('--network <name>', 'name of the network', networkArgument, DEFAULT_NETWORK)
    .option('--out <dir>', 'write prices.csv, payouts.csv and epochs.csv there')
    .option('--force', 'replace exports that are there')
    .addOption(
      new Option('--holds <what>', 'what a tripped breaker does; release only in a throw-away home')
        .choices(['wait', 'release'])
        .default('wait'),
    )
    .action(async (options: StartOptions) => {
      const plan = planOf(options);
      const { startAndSettle } = await import('./start/road.js');
      await startAndSettle(io, plan);
    });
}

function planOf(options: StartOptions): StartPlan {
  const { policy, epochs, holds } = options;
  const input = typeof options.input === 'string' ? options.input : undefined;
  if (input === undefined && policy !== undefined)
    throw new UsageError('--policy needs --input DIR: the bundle that it settles.');
  if (input !== undefined && policy === undefined)
    throw new UsageError('--input needs --policy FILE: prices and rewards come from it.');
  if (input === undefined && epochs !== undefined) {
    throw new UsageError(
      '--epochs needs --input and --policy: the sample has its own calendar. Use `settle epoch run A..B` for a network that is there.',
    );
  }
  if (input === undefined && holds === 'release') {
    throw new UsageError(
      '--holds release needs --input and --policy: only a throw-away home lets held epochs through unseen.',
    );
  }
  return {
    network: options.network,
    once: options.once === true,
    bundle: input === undefined || policy === undefined ? null : { folder: input, policyFile: policy },
    epochs: epochs ?? null,
    holds,
    out: options.out ?? null,
    force: options.force === true,
  };
}

import type { Command } from 'commander';
import type { RevisionDiff } from '../queries/revision-changes';
import type { PayoutChange } from '../store/payout-changes';
import { type RevisionArgument, revisionArgument } from './arguments';
import { UsageError } from './errors';
import { archiveOption, networkOption } from './groups';
import type { Io } from './io';
import { broughtFor, withDatabase } from './open';
import { snakeKeys } from './read/json-keys';
import {
  changeColumns,
  changesText,
  correctionLines,
  disputeFacts,
  disputeTitle,
  type TokenUnit,
} from './revision-text';
import type { Session } from './session';

/** `settle diff EPOCH@1 EPOCH@2`: what changed between two published revisions, and why. */
export function register(program: Command, io: Io): void {
  program
    .command('diff')
    .description('what changed between two published revisions of an epoch, and why')
    .argument('<from>', 'like 42@1', revisionArgument)
    .argument('<to>', 'like 42@2; 42 is its newest revision', revisionArgument)
    .addOption(networkOption())
    .addOption(archiveOption())
    .action((from: RevisionArgument, to: RevisionArgument, options: DiffOptions) => diff(io, from, to, options));
}

interface DiffOptions {
  readonly network: string;
  readonly archive?: readonly string[];
}

async function diff(
  io: Io,
  from: RevisionArgument,
  to: RevisionArgument,
  { network, archive }: DiffOptions,
): Promise<void> {
  if (from.epoch !== to.epoch) throw new UsageError('Two revisions of one epoch are compared, like 42@1 42@2.');
  if (from.revision === null) throw new UsageError(`Say which revision to start from, like ${from.epoch}@1.`);
  const { revision } = from;
  const { diffRevisions, eachPayoutChange } = await import('../queries/revision-changes.js');
  const { readPolicy } = await import('../queries/policies.js');
  const work = async ({ pool }: Pick<Session, 'pool'>) => {
    const found = await diffRevisions(pool, network, from.epoch, revision, to.revision);
    const { token } = await readPolicy(pool, found.changes.contentAfter.policyHash);
    const payouts: PayoutChange[] = [];
    if (io.format !== 'table') {
      for await (const one of eachPayoutChange({ db: pool, ...found.changes })) payouts.push(one);
    }
    if (io.format === 'csv' || io.format === 'jsonl') {
      io.sheet({ columns: changeColumns(token), rows: payouts, empty: '' });
      return;
    }
    io.account({
      value: snakeKeys({ ...found, changes: { ...found.changes, payouts } }),
      human: (colors) => diffText(found, token, io.width, colors),
    });
  };
  const scope = { network, first: from.epoch, last: from.epoch, allPayouts: false };
  await withDatabase(io, work, broughtFor(archive, scope));
}

function diffText({ changes, grounds }: RevisionDiff, token: TokenUnit, width: number, colors: Io['colors']): string {
  const { from, to } = changes;
  return [
    `Epoch ${from.epoch}, revision ${from.revision} → ${to.revision}`,
    ...changesText(changes, token, colors, width),
    ...grounds.flatMap((one) => [
      '',
      disputeTitle(one.dispute, colors),
      ...disputeFacts(one.dispute),
      ...correctionLines(one, colors),
    ]),
  ].join('\n');
}

import type { Command } from 'commander';
import { decidePolicy, diffPolicies, proposePolicy } from '../commands/policies';
import type { PolicyChange } from '../rulesets/1/policy-changes';
import { nextOpenEpoch } from '../store/due';
import { findNetwork, getNetwork } from '../store/networks';
import { type EffectivePolicy, gracesFrom, listEffectivePolicies } from '../store/policies';
import { listProposals, type PolicyProposal } from '../store/policy-proposals';
import type { Queryable } from '../store/pool';
import { epochArgument, reasonArgument } from './arguments';
import { duration } from './figures';
import { group, networkOption, requestIdOption } from './groups';
import type { Io } from './io';
import { withDatabase } from './open';
import type { Column } from './output';

/** `settle policy propose|approve|reject|list|diff`; `policy check` is in read/policy-check.ts. */
export function register(program: Command, io: Io): void {
  const policy = group(program, 'policy');
  policy
    .command('propose')
    .description('propose a policy from an epoch on that is not sealed yet; a second person approves it')
    .argument('<file>', 'the YAML file')
    .requiredOption('--from <epoch>', 'the first epoch that it settles', epochArgument)
    .requiredOption('--reason <text>', 'for the record', reasonArgument)
    .addOption(requestIdOption())
    .addOption(networkOption())
    .action((file: string, options) => propose(io, file, options));
  registerDeciding(policy, io);
  registerLooking(policy, io);
}

function registerDeciding(policy: Command, io: Io): void {
  for (const [verb, outcome] of [
    ['approve', 'approved'],
    ['reject', 'rejected'],
  ] as const) {
    policy
      .command(verb)
      .description(`${verb} a policy that somebody else proposed`)
      .argument('<proposal>', "its number, or the beginning of the policy's hash")
      .option('--from <epoch>', 'the first epoch that it settles, where several proposals have the hash', epochArgument)
      .requiredOption('--reason <text>', 'for the record', reasonArgument)
      .addOption(requestIdOption())
      .addOption(networkOption())
      .action((proposal: string, { network, from: fromEpoch = null, reason, requestId = null }) =>
        withDatabase(io, async (session) => {
          const decision = { network, proposal, fromEpoch, outcome, reason, requestId };
          const before = await gracesToCome(session.pool, network);
          const decided = await decidePolicy(session, decision);
          io.sheet({ columns: PROPOSAL_COLUMNS, rows: [decided], empty: '' });
          if (decided.decision !== 'approved') return;
          await sayReplaced(io, session.pool, network, decided);
          await sayOtherGrace(io, session.pool, network, before);
        }),
      );
  }
}

function registerLooking(policy: Command, io: Io): void {
  policy
    .command('list')
    .description('proposed policies, and what became of them; --effective: which settles from which epoch on')
    .option('--effective', 'only those that are effective, with the first one')
    .addOption(networkOption())
    .action(({ network, effective }) =>
      withDatabase(io, async ({ pool }) => {
        await getNetwork(pool, network);
        if (effective === true) {
          io.sheet({ columns: EFFECTIVE_COLUMNS, rows: await listEffectivePolicies(pool, network), empty: '' });
          return;
        }
        const empty = 'No policy was proposed; --effective shows the first one.';
        io.sheet({ columns: PROPOSAL_COLUMNS, rows: await listProposals(pool, network), empty });
      }),
    );
  policy
    .command('diff')
    .description('what changes from one policy to another, key by key')
    .argument('<before>', 'a file, a hash, or the beginning of one')
    .argument('<after>', 'the same')
    .action((before: string, after: string) =>
      withDatabase(io, async ({ pool }) => {
        const rows = await diffPolicies({ pool }, before, after);
        io.sheet({ columns: CHANGE_COLUMNS, rows, empty: 'The two are the same policy.' });
      }),
    );
}

interface ProposeOptions {
  readonly network: string;
  readonly from: number;
  readonly reason: string;
  readonly requestId?: string;
}

function propose(io: Io, policyFile: string, { network, from, reason, requestId }: ProposeOptions): Promise<void> {
  return withDatabase(io, async (session) => {
    const wanted = { network, policyFile, fromEpoch: from, reason, requestId: requestId ?? null };
    const proposed = await proposePolicy(session, wanted);
    io.sheet({ columns: PROPOSAL_COLUMNS, rows: [proposed], empty: '' });
    io.say(`Next, by somebody else: settle policy approve ${proposed.proposal} --network ${network} --reason TEXT`);
  });
}

/** The newest approval wins from its epoch on, also over those approved before for later epochs. */
async function sayReplaced(
  io: Io,
  pool: Parameters<typeof listEffectivePolicies>[0],
  network: string,
  decided: PolicyProposal,
): Promise<void> {
  const later = (await listEffectivePolicies(pool, network)).filter(
    (one) => one.fromEpoch > decided.fromEpoch && one.policyHash !== decided.policyHash,
  );
  for (const { fromEpoch, policyHash } of later) {
    io.say(`It also replaces policy ${policyHash.slice(0, 12)}, which was approved before for epoch ${fromEpoch} on.`);
  }
}

/** Of a network that is not there, nothing: the command itself says so, on record. */
async function gracesToCome(db: Queryable, network: string): Promise<readonly number[]> {
  if ((await findNetwork(db, network)) === null) return [];
  return gracesFrom(db, network, await nextOpenEpoch(db, network));
}

/** The schedule is in Temporal, which this command does not open. */
async function sayOtherGrace(io: Io, db: Queryable, network: string, before: readonly number[]): Promise<void> {
  const graces = await gracesToCome(db, network);
  if (graces.join() === before.join()) return;
  io.say(
    `Epochs to come have a grace of ${graces.map(duration).join(' and ')}: settle schedule apply --network ${network} gives the schedule a tick for it.`,
  );
}

const PROPOSAL_COLUMNS: readonly Column<PolicyProposal>[] = [
  { key: 'proposal', title: 'Proposal', type: 'count', value: (p) => p.proposal },
  { key: 'from_epoch', title: 'From', type: 'count', value: (p) => p.fromEpoch },
  { key: 'name', title: 'Name', type: 'text', value: (p) => p.name },
  { key: 'state', title: 'State', type: 'id', value: (p) => p.decision ?? 'waits for approval' },
  { key: 'proposed_by', title: 'Proposed by', type: 'text', value: (p) => p.proposedBy },
  { key: 'reason', title: 'Reason', type: 'text', value: (p) => p.reason },
  { key: 'proposed_at', type: 'id', value: (p) => p.proposedAt },
  { key: 'decided_by', title: 'Decided by', type: 'text', value: (p) => p.decidedBy },
  { key: 'decided_reason', type: 'text', value: (p) => p.decidedReason },
  { key: 'decided_at', type: 'id', value: (p) => p.decidedAt },
  { key: 'policy_hash', title: 'Hash', type: 'id', value: (p) => p.policyHash, show: (p) => p.policyHash.slice(0, 12) },
];

const EFFECTIVE_COLUMNS: readonly Column<EffectivePolicy>[] = [
  { key: 'from_epoch', title: 'From', type: 'count', value: (p) => p.fromEpoch },
  { key: 'policy_hash', title: 'Hash', type: 'id', value: (p) => p.policyHash },
  { key: 'approved_by', title: 'Approved by', type: 'text', value: (p) => p.approvedBy },
  { key: 'approved_at', title: 'At', type: 'id', value: (p) => p.approvedAt },
  { key: 'reason', title: 'Reason', type: 'text', value: (p) => p.reason },
];

const CHANGE_COLUMNS: readonly Column<PolicyChange>[] = [
  { key: 'key', title: 'Key', type: 'id', value: (c) => c.path },
  { key: 'before', title: 'Before', type: 'text', value: (c) => c.before },
  { key: 'after', title: 'After', type: 'text', value: (c) => c.after },
];

import { randomUUID } from 'node:crypto';
import type { PoolClient } from 'pg';
import { type Policy, parsePolicy } from '../rulesets/1/policy';
import { type PolicyChange, policyChanges } from '../rulesets/1/policy-changes';
import { appendAudit } from '../store/audit-log';
import { StoreError } from '../store/errors';
import { getNetwork, lockInputs, lockNetwork, type Network } from '../store/networks';
import { effectivePolicyHash, getPolicy, insertPolicy, makeEffective } from '../store/policies';
import {
  findProposalOfRequest,
  getProposal,
  insertPolicyDecision,
  insertProposal,
  newestFixedEpoch,
  type OrphanedRows,
  type PolicyProposal,
  policiesBeginning,
  rowsOutsideMarkets,
} from '../store/policy-proposals';
import type { Queryable } from '../store/pool';
import { findRequest, insertRequest } from '../store/requests';
import { transactionAs } from '../store/rights';
import type { CommandContext } from './context';
import { type PolicyRead, readPolicyFile } from './create-network';
import { refusedOnRecord } from './refusals';

export interface NewProposal {
  readonly network: string;
  readonly policyFile: string;
  /** The first epoch that it is to settle. */
  readonly fromEpoch: number;
  readonly reason: string;
  /** The same id again returns the first answer; null: a new request. */
  readonly requestId: string | null;
}

/**
 * Proposes a policy from a named epoch on (spec §2). It settles nothing before somebody else approves it.
 * @throws PolicyFileError with every problem; StoreError `PolicyRefused`, `RequestConflict`; refusals are on record
 */
export async function proposePolicy(context: CommandContext, wanted: NewProposal): Promise<PolicyProposal> {
  const { network, fromEpoch, reason } = wanted;
  const requestId = wanted.requestId ?? randomUUID();
  const asked = { network, action: 'policy-propose', requestId };
  // By its file as long as it has no hash.
  const read = await refusedOnRecord(context, { ...asked, subject: wanted.policyFile }, async () => {
    await getNetwork(context.pool, network);
    return readPolicyFile(wanted.policyFile);
  });
  const { policyHash } = read.stored;
  const attempt = { ...asked, subject: `policy ${policyHash}` };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_policy_admin', async (client) => {
      const calendar = await lockNetwork(client, network);
      const body = { policyHash, fromEpoch, reason };
      await insertRequest(client, { requestId, network, action: attempt.action, body, actor: context.actor });
      const known = await findProposalOfRequest(client, requestId);
      if (known !== null) return known;
      await requirePossible(client, calendar, read, fromEpoch);
      await insertPolicy(client, read.stored);
      await insertProposal(client, network, { fromEpoch, policyHash, proposedBy: context.actor, reason, requestId });
      await appendAudit(client, {
        ...attempt,
        actor: context.actor,
        outcome: 'done',
        reason,
        detail: { fromEpoch },
      });
      const proposed = await findProposalOfRequest(client, requestId);
      return proposed as PolicyProposal;
    }),
  );
}

const refused = (what: string): StoreError => new StoreError('PolicyRefused', what);

/** What can be said of a policy before anybody decides. Under the network's lock. */
async function requirePossible(
  client: Queryable,
  network: Network,
  { policy, stored }: PolicyRead,
  fromEpoch: number,
): Promise<void> {
  requireCalendar(network, policy);
  const current = await policyAt(client, network.network, network.firstEpoch);
  if (policy.token.decimals !== current.token.decimals) {
    throw refused(
      `token.decimals is ${current.token.decimals} and may not become ${policy.token.decimals}: every published amount and every balance counts in them`,
    );
  }
  const { firstEpoch, lastEpoch } = network;
  if (fromEpoch < firstEpoch || fromEpoch > (lastEpoch ?? Number.POSITIVE_INFINITY)) {
    throw refused(
      `network ${network.network} has the epochs ${firstEpoch} to ${lastEpoch ?? 'no end'}: a policy cannot begin with ${fromEpoch}`,
    );
  }
  await requireUnsealed(client, network.network, fromEpoch);
  if ((await effectivePolicyHash(client, network.network, fromEpoch)) === stored.policyHash) {
    throw refused(`policy ${stored.policyHash} settles epoch ${fromEpoch} already: nothing would change`);
  }
}

function requireCalendar(network: Network, policy: Policy): void {
  const { genesisSeconds, genesis, lengthSeconds } = policy.epoch;
  const keys = [
    ...(genesisSeconds === network.genesisSeconds ? [] : [`epoch.genesis is ${genesis}`]),
    ...(lengthSeconds === network.lengthSeconds ? [] : [`epoch.lengthSeconds is ${lengthSeconds}`]),
  ];
  if (keys.length === 0) return;
  throw refused(
    `${keys.join(' and ')}, and network ${network.network} has another calendar: it cannot be changed, make another network`,
  );
}

async function requireUnsealed(client: Queryable, network: string, fromEpoch: number): Promise<void> {
  const fixed = await newestFixedEpoch(client, network);
  if (fixed === null || fromEpoch > fixed) return;
  throw new StoreError(
    'EpochSealed',
    `epoch ${fixed} of ${network} is sealed or closed and keeps its policy: a new one can begin with epoch ${fixed + 1} at the earliest, not with ${fromEpoch}`,
  );
}

async function policyAt(client: Queryable, network: string, epoch: number): Promise<Policy> {
  return storedPolicy(client, await effectivePolicyHash(client, network, epoch));
}

async function storedPolicy(client: Queryable, policyHash: string): Promise<Policy> {
  return parsePolicy(JSON.parse((await getPolicy(client, policyHash)).canonical));
}

export interface PolicyDecision {
  readonly network: string;
  /** Number of the proposal, or the beginning of its policy's hash. */
  readonly proposal: string;
  /** The first epoch that it is to settle, by which proposals of one policy differ; absent or null: whichever. */
  readonly fromEpoch?: number | null;
  readonly outcome: 'approved' | 'rejected';
  readonly reason: string;
  readonly requestId: string | null;
}

/**
 * Approves or rejects a proposed policy; the approval by somebody other than its proposer. Approving excludes sealing
 * and loading (the network's lock and the inputs' lock, in sealing's order), so that an epoch is settled by the policy
 * that its rows were admitted under.
 *
 * @throws StoreError `ProposalUnknown`, `ProposalAmbiguous`, `ProposalClosed`, `SelfApproval`, `EpochSealed`, `PolicyRefused`; on record
 */
export function decidePolicy(context: CommandContext, decision: PolicyDecision): Promise<PolicyProposal> {
  const { network, outcome, reason } = decision;
  const requestId = decision.requestId ?? randomUUID();
  const attempt = { network, action: `policy-${outcome}`, subject: `proposal ${decision.proposal}`, requestId };
  return refusedOnRecord(context, attempt, () =>
    transactionAs(context.pool, 'settle_policy_admin', async (client) => {
      await lockInputs(client, network, 'exclusive');
      const calendar = await lockNetwork(client, network);
      const known = await named(client, decision, requestId);
      const body = { proposal: known.proposal, reason };
      const request = { requestId, network, action: attempt.action, body, actor: context.actor };
      if (!(await insertRequest(client, request))) return known;
      if (known.decision !== null) {
        const by = `by ${known.decidedBy} at ${known.decidedAt}`;
        throw new StoreError('ProposalClosed', `proposal ${known.proposal} is ${known.decision} already, ${by}`);
      }
      if (outcome === 'approved') await requireApprovable(client, context, calendar, known);
      await insertPolicyDecision(client, network, known.proposal, { outcome, actor: context.actor, reason });
      if (outcome === 'approved') {
        const { fromEpoch, policyHash, proposal } = known;
        await makeEffective(client, network, fromEpoch, policyHash, context.actor, reason, proposal);
      }
      const detail = { policyHash: known.policyHash, fromEpoch: known.fromEpoch };
      await appendAudit(client, { ...attempt, actor: context.actor, outcome: 'done', reason, detail });
      return getProposal(client, network, String(known.proposal));
    }),
  );
}

/** The proposal that a decision names. A request that was answered names the same one as then, whatever came since. */
async function named(client: Queryable, decision: PolicyDecision, requestId: string): Promise<PolicyProposal> {
  const { network, proposal, fromEpoch = null } = decision;
  const before = await findRequest(client, requestId);
  if (before?.network === network && before.action === `policy-${decision.outcome}`) {
    const then = await getProposal(client, network, String(before.body.proposal));
    const isSame = String(then.proposal) === proposal || then.policyHash.startsWith(proposal);
    if (isSame && (fromEpoch === null || fromEpoch === then.fromEpoch)) return then;
  }
  return getProposal(client, network, proposal, fromEpoch);
}

async function requireApprovable(
  client: PoolClient,
  context: CommandContext,
  network: Network,
  { proposal, proposedBy, fromEpoch, policyHash }: PolicyProposal,
): Promise<void> {
  if (proposedBy === context.actor) {
    throw new StoreError('SelfApproval', `${proposedBy} proposed policy ${proposal}: somebody else has to approve it`);
  }
  await requireUnsealed(client, network.network, fromEpoch);
  const policy = await storedPolicy(client, policyHash);
  const orphans = await rowsOutsideMarkets(client, network.network, fromEpoch, [...policy.markets.keys()]);
  if (orphans.length > 0) throw refused(orphanWords(orphans));
}

/** Loaded rows are never dropped unseen: a policy may not take their market away from under them. */
function orphanWords(orphans: readonly OrphanedRows[]): string {
  const rows = orphans.map(
    ({ market, table, rows, firstEpoch, lastEpoch }) =>
      `${rows} of ${table}.csv name ${market}, epochs ${firstEpoch} to ${lastEpoch}`,
  );
  const last = Math.max(...orphans.map((one) => one.lastEpoch));
  return `rows are loaded for markets that the policy does not have: ${rows.join('; ')}. Keep the markets, or propose it from epoch ${last + 1} on`;
}

/**
 * What changes, key by key, from one policy to another; each named by a file, a hash or its beginning.
 * @throws StoreError `PolicyMissing`; PolicyFileError
 */
export async function diffPolicies(
  context: Pick<CommandContext, 'pool'>,
  before: string,
  after: string,
): Promise<readonly PolicyChange[]> {
  return policyChanges(await documentOf(context.pool, before), await documentOf(context.pool, after));
}

async function documentOf(db: Queryable, named: string): Promise<Policy['document']> {
  if (!/^[0-9a-f]{6,64}$/.test(named)) return (await readPolicyFile(named)).policy.document;
  const [hash, ...others] = await policiesBeginning(db, named);
  if (hash === undefined) throw new StoreError('PolicyMissing', `no stored policy's hash begins with ${named}`);
  if (others.length > 0)
    throw new StoreError('PolicyMissing', `several policies' hashes begin with ${named}: write more of it`);
  return JSON.parse((await getPolicy(db, hash)).canonical);
}

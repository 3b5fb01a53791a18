import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { readPolicyYaml } from '../inputs/policy-file';
import { canonicalJson } from '../proofs/canonical-json';
import { epochTimes } from '../rulesets/1/calendar';
import type { Policy } from '../rulesets/1/policy';
import { appendAudit } from '../store/audit-log';
import { findNetwork, insertNetwork, type Network } from '../store/networks';
import { effectivePolicyHash, insertPolicy, makeEffective, type StoredPolicy } from '../store/policies';
import type { Queryable } from '../store/pool';
import { actAs, transactionAs } from '../store/rights';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';

export interface NewNetwork {
  readonly network: string;
  readonly policyFile: string;
  /** The first epoch of the calendar, from which the policy is effective. */
  readonly firstEpoch: number;
  /** null: the network has no end. */
  readonly lastEpoch: number | null;
  readonly holds: Network['holds'];
}

/** A market's price record is 1.3 kB of the run's history, where one payload may have 2 MB. */
const MOST_MARKETS = 1_000;

/** Rows of history that an epoch looks back on, one for each market and epoch of the window: a worker holds them all. */
const MOST_HISTORY_ROWS = 400_000;

export interface PolicyRead {
  readonly policy: Policy;
  readonly stored: StoredPolicy;
}

/** A policy file, validated, under the hash of its canonical JSON. @throws PolicyFileError with every problem */
export async function readPolicyFile(path: string): Promise<PolicyRead> {
  const source = await readFile(path, 'utf8');
  const policy = readPolicyYaml(source, basename(path));
  requireRoom(policy, basename(path));
  const canonical = canonicalJson(policy.document);
  const policyHash = createHash('sha256').update(canonical, 'utf8').digest('hex');
  return { policy, stored: { policyHash, canonical, source } };
}

/** @throws CommandError `PolicyTooLarge` */
function requireRoom({ markets, history }: Policy, name: string): void {
  if (markets.size > MOST_MARKETS) {
    throw new CommandError(
      'PolicyTooLarge',
      `${name} has ${markets.size} markets, and an epoch's history has room for ${MOST_MARKETS}: split the network by region or kind of machine`,
    );
  }
  if (markets.size * history.window > MOST_HISTORY_ROWS) {
    throw new CommandError(
      'PolicyTooLarge',
      `${name} looks back on ${history.window} epochs of ${markets.size} markets, and a worker has room for ${MOST_HISTORY_ROWS} of them in all: give history.window at most ${Math.floor(MOST_HISTORY_ROWS / markets.size)}`,
    );
  }
}

/**
 * Creates a network with its calendar and first policy. The same again finds it; another calendar or policy under the
 * same name is refused.
 */
export async function createNetwork(context: CommandContext, wanted: NewNetwork): Promise<'created' | 'found'> {
  const { network } = wanted;
  return refusedOnRecord(context, { network, action: 'network-create', subject: network }, async () => {
    const policy = await readPolicyFile(wanted.policyFile);
    return transactionAs(context.pool, 'settle_policy_admin', (client) =>
      createNetworkWithin(client, context.actor, wanted, policy),
    );
  });
}

/** The same in the caller's transaction, with a policy that was read before. Creating leaves it with the rights of a policy admin. */
export async function createNetworkWithin(
  client: Queryable,
  actor: string,
  wanted: Omit<NewNetwork, 'policyFile'>,
  { policy, stored }: PolicyRead,
): Promise<'created' | 'found'> {
  // Both ends must have instants, and the database's epoch numbers are 32-bit.
  for (const epoch of [wanted.firstEpoch, wanted.lastEpoch ?? wanted.firstEpoch]) epochTimes(policy.epoch, epoch);
  const network: Network = {
    network: wanted.network,
    genesisSeconds: policy.epoch.genesisSeconds,
    lengthSeconds: policy.epoch.lengthSeconds,
    graceSeconds: policy.epoch.graceSeconds,
    firstEpoch: wanted.firstEpoch,
    lastEpoch: wanted.lastEpoch,
    holds: wanted.holds,
  };
  const known = await findNetwork(client, wanted.network);
  if (known !== null) {
    const policyHash = await effectivePolicyHash(client, wanted.network, known.firstEpoch);
    requireSame(known, network, policyHash, stored.policyHash);
    return 'found';
  }
  await actAs(client, 'settle_policy_admin');
  await insertNetwork(client, network);
  await insertPolicy(client, stored);
  const reason = 'first policy of the network';
  await makeEffective(client, wanted.network, wanted.firstEpoch, stored.policyHash, actor, reason);
  await appendAudit(client, {
    network: wanted.network,
    actor,
    action: 'network-create',
    subject: wanted.network,
    outcome: 'done',
    reason: `calendar from epoch ${wanted.firstEpoch} to ${wanted.lastEpoch ?? 'no end'}`,
    detail: { policyHash: stored.policyHash, holds: wanted.holds },
  });
  return 'created';
}

function requireSame(known: Network, wanted: Network, knownPolicy: string, wantedPolicy: string): void {
  const fields = ['genesisSeconds', 'lengthSeconds', 'graceSeconds', 'firstEpoch', 'lastEpoch', 'holds'] as const;
  const differing = fields.filter((field) => known[field] !== wanted[field]);
  if (differing.length === 0 && knownPolicy === wantedPolicy) return;
  const what = [
    ...differing.map((field) => `${field} ${known[field]}, not ${wanted[field]}`),
    ...(knownPolicy === wantedPolicy ? [] : [`the first policy ${knownPolicy}, not ${wantedPolicy}`]),
  ];
  throw new CommandError(
    'PolicyMismatch',
    `network ${known.network} exists and has ${what.join('; ')}: use another name, or another SETTLE_HOME`,
  );
}

import { StoreError } from './errors';
import type { Queryable } from './pool';

export interface PolicyProposal {
  readonly proposal: number;
  readonly fromEpoch: number;
  readonly policyHash: string;
  readonly name: string;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly reason: string;
  readonly decision: 'approved' | 'rejected' | null;
  readonly decidedBy: string | null;
  readonly decidedReason: string | null;
  readonly decidedAt: string | null;
}

const AT = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;

const PROPOSALS = `
  select p.proposal, p.from_epoch as "fromEpoch", p.policy_hash as "policyHash", l.canonical::jsonb ->> 'name' as name,
    p.proposed_by as "proposedBy", ${AT('p.proposed_at')} as "proposedAt", p.reason, d.decision,
    d.actor as "decidedBy", d.reason as "decidedReason", ${AT('d.decided_at')} as "decidedAt"
  from policy_proposal p join policy l using (policy_hash) left join policy_decision d using (network, proposal)`;

export async function listProposals(db: Queryable, network: string): Promise<readonly PolicyProposal[]> {
  return (await db.query<PolicyProposal>(`${PROPOSALS} where p.network = $1 order by p.proposal`, [network])).rows;
}

/** The proposal that a request made; null: it made none. */
export async function findProposalOfRequest(db: Queryable, requestId: string): Promise<PolicyProposal | null> {
  return (await db.query<PolicyProposal>(`${PROPOSALS} where p.request_id = $1`, [requestId])).rows[0] ?? null;
}

/**
 * A proposal by its number, or by its policy's hash or the beginning of it: of those, the one that waits for a decision,
 * or else the newest. The same policy may be proposed from several epochs.
 * @param fromEpoch the first epoch that it is to settle; null: whichever
 * @throws StoreError `ProposalUnknown`, `ProposalAmbiguous`
 */
export async function getProposal(
  db: Queryable,
  network: string,
  named: string,
  fromEpoch: number | null = null,
): Promise<PolicyProposal> {
  const byNumber = /^[1-9][0-9]{0,8}$/.test(named);
  const found = await db.query<PolicyProposal>(
    `${PROPOSALS} where p.network = $1 and ${byNumber ? 'p.proposal = $2::integer' : 'starts_with(p.policy_hash, $2)'}
       and ($3::integer is null or p.from_epoch = $3)
     order by p.proposal desc`,
    [network, named, fromEpoch],
  );
  const open = found.rows.filter(({ decision }) => decision === null);
  if (open.length > 1) throw ambiguous(named, open);
  const one = open[0] ?? found.rows[0];
  if (one !== undefined) return one;
  const from = fromEpoch === null ? '' : ` from epoch ${fromEpoch} on`;
  throw new StoreError(
    'ProposalUnknown',
    `network ${network} has no proposed policy ${named}${from}: see \`settle policy list\``,
  );
}

function ambiguous(named: string, open: readonly PolicyProposal[]): StoreError {
  const each = open.map((one) => `${one.proposal} from epoch ${one.fromEpoch}, by ${one.proposedBy}`);
  return new StoreError(
    'ProposalAmbiguous',
    `several open proposals have a hash that begins with ${named}: ${each.join('; ')}. Name one by its number, or say which with --from EPOCH`,
  );
}

/** Writes a proposal under the next number. Under the network's lock. */
export async function insertProposal(
  db: Queryable,
  network: string,
  proposal: {
    readonly fromEpoch: number;
    readonly policyHash: string;
    readonly proposedBy: string;
    readonly reason: string;
    readonly requestId: string;
  },
): Promise<void> {
  await db.query(
    `insert into policy_proposal (network, proposal, from_epoch, policy_hash, proposed_by, reason, request_id)
     select $1::text, coalesce(max(proposal), 0) + 1, $2::integer, $3::text, $4::text, $5::text, $6::text
     from policy_proposal where network = $1::text`,
    [network, proposal.fromEpoch, proposal.policyHash, proposal.proposedBy, proposal.reason, proposal.requestId],
  );
}

export async function insertPolicyDecision(
  db: Queryable,
  network: string,
  proposal: number,
  decision: { readonly outcome: 'approved' | 'rejected'; readonly actor: string; readonly reason: string },
): Promise<void> {
  await db.query(
    'insert into policy_decision (network, proposal, decision, actor, reason) values ($1, $2, $3, $4, $5)',
    [network, proposal, decision.outcome, decision.actor, decision.reason],
  );
}

/** The highest epoch that is sealed or closed, which keeps its policy; null: none is. */
export async function newestFixedEpoch(db: Queryable, network: string): Promise<number | null> {
  const found = await db.query<{ epoch: number | null }>(
    `select greatest((select max(epoch) from seal where network = $1),
       (select max(epoch) from chain_entry where network = $1),
       (select max(epoch) from epoch_failure where network = $1)) as epoch`,
    [network],
  );
  return found.rows[0]!.epoch;
}

/** Loaded rows that name a market which a policy does not know. */
export interface OrphanedRows {
  readonly market: string;
  readonly table: 'capacity' | 'demand' | 'quotes';
  readonly rows: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
}

/** Rows from an epoch on whose market is none of `markets`. Exact only under the network's exclusive input lock. */
export async function rowsOutsideMarkets(
  db: Queryable,
  network: string,
  fromEpoch: number,
  markets: readonly string[],
): Promise<readonly OrphanedRows[]> {
  const of = (table: string, name: string) =>
    `select '${name}' as "table", market, count(*) as rows, min(epoch) as "firstEpoch", max(epoch) as "lastEpoch"
     from ${table} where network = $1 and epoch >= $2 and market <> all($3::text[]) group by market`;
  const found = await db.query<OrphanedRows>(
    `${of('capacity', 'capacity')} union all ${of('demand', 'demand')} union all ${of('quote', 'quotes')}
     order by market, "table"`,
    [network, fromEpoch, markets],
  );
  return found.rows;
}

/** Stored policies whose hash begins so. */
export async function policiesBeginning(db: Queryable, prefix: string): Promise<readonly string[]> {
  const found = await db.query<{ hash: string }>(
    'select policy_hash as hash from policy where starts_with(policy_hash, $1) order by policy_hash limit 3',
    [prefix],
  );
  return found.rows.map((row) => row.hash);
}

/**
 * What of the database an audit covers, column by column: by which check, or why it need not. A column that is in
 * neither place fails test/audit/coverage.test.ts, so that nobody adds a figure that could be changed unseen.
 */

/** By which check of `settle audit` a change of the column in a published epoch is found. */
type Covered = Readonly<Record<string, string>>;

const KEY = { network: 'rows', epoch: 'rows' } as const;
const REVISION = { network: 'recompute', epoch: 'recompute', revision: 'recompute', computation: 'recompute' } as const;

/** Every column, to the same check. */
const all = (check: string, columns: string): Covered =>
  Object.fromEntries(columns.split(' ').map((column) => [column, check]));

export const COVERED: Readonly<Record<string, Covered>> = {
  provider_version: all('rows', 'network provider load_id joined_epoch status payee'),
  capacity: { ...KEY, ...all('rows', 'provider market offered served') },
  performance: { ...KEY, ...all('rows', 'provider uptime response_ms error_rate rating') },
  demand: { ...KEY, ...all('rows', 'market requested') },
  quote: { ...KEY, ...all('rows', 'market source usd_per_unit') },
  token_observation: { ...KEY, ...all('rows', 'source observed_at price_usd volume_usd') },
  macro: { ...KEY, ...all('rows', 'index') },
  seal: { ...KEY, policy_hash: 'policy' },
  snapshot: { ...KEY, ...all('rows', 'snapshot_digest table_digests row_counts chunks'), facts: 'recompute' },
  policy: all('policy', 'policy_hash canonical source'),
  computation: {
    ...REVISION,
    ...all('recompute', 'history_digest history previous_epoch derivation'),
    ...all('policy', 'ruleset policy_hash'),
    snapshot_digest: 'rows',
    dispute: 'rows',
  },
  price: {
    ...REVISION,
    ...all('digests', 'market supply used demand supply_mean demand_mean family_fast family_slow forecast competitor'),
    ...all('digests', 'competitor_epoch prev base price s_supply s_demand s_market_conditions s_available_capacity'),
    ...all(
      'digests',
      's_provider_growth s_usage_patterns s_peak_demand s_competition s_market_trends c_supply c_demand',
    ),
    ...all('digests', 'c_market_conditions c_available_capacity c_provider_growth c_usage_patterns c_competition'),
    ...all(
      'digests',
      'c_market_trends d_band d_step d_bounds d_premium d_ceiling m_market_conditions m_network_demand',
    ),
    ...all('digests', 'm_resource_availability m_growth m_network rate'),
  },
  payout: { ...REVISION, ...all('digests', 'provider gross cap_cut scale_cut amount reason'), multiplier: 'recompute' },
  result: {
    ...REVISION,
    ...all('digests', 'content content_digest'),
    ...all('breakers', 'breakers would_trip'),
    ...all('recompute', 'unallocated_reason payout_count'),
  },
  hold: { ...REVISION, content_digest: 'breakers' },
  hold_decision: { ...REVISION, ...all('breakers', 'decision content_digest') },
  dispute: all('recompute', 'network epoch dispute base_revision base_computation derive'),
  dispute_decision: all('breakers', 'network epoch dispute decision_no decision content_digest'),
  correction: all('rows', 'network epoch dispute table_name key line'),
  corrected_snapshot: {
    ...all('rows', 'network epoch dispute snapshot_digest table_digests row_counts chunks'),
    facts: 'recompute',
  },
  chain_entry: {
    ...all('chain', 'network position kind epoch revision content_digest entry previous_head head'),
    computation: 'recompute',
  },
  claim: all('claims', 'network position payee entitlement cumulative'),
  ledger_posting: all('ledger', 'network journal account amount'),
  audit_log: all(
    'audit-log',
    'entry at network actor action subject outcome reason request_id detail previous_hash hash',
  ),
  history_archive: all('history', 'network run_id history_hash history bundle_hash'),
  workflow_bundle: all('history', 'bundle_hash code'),
};

const WHEN = 'says when a row was written; nothing is computed from it';
const WHO = 'names a person; what was done stands in the chained audit log too';

/** Columns that no check covers, and why a change of them changes nothing that was published. */
export const INFORMATIVE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  network: {
    '*': 'the calendar; what an epoch took from it is in its policy, and the epochs in the chain',
  },
  policy: { stored_at: WHEN },
  policy_effective: { '*': 'which policy an epoch was settled with is sealed, and its hash is in the chain' },
  policy_proposal: { '*': 'who wanted a policy; the one that settled an epoch is in the chain' },
  policy_decision: { '*': 'who let a policy in; the one that settled an epoch is in the chain' },
  load: { '*': 'where rows came from; the rows themselves are sealed' },
  late_row: { '*': 'rows that are not part of a settlement; a dispute copies those that it takes' },
  seal: {
    registry_load: 'one that changes a sealed row of the registry is found by its digest; another changes nothing',
    sealed_at: WHEN,
  },
  computation: {
    workflow_id: 'the publishing run is named in the audit log',
    run_id: 'as workflow_id',
    computed_at: WHEN,
  },
  result: { checked_at: WHEN },
  hold: { asked_by: WHO, held_at: WHEN, deadline: 'a hold that was decided has ended' },
  hold_decision: { actor: WHO, reason: 'the words of the decision, in the audit log too', decided_at: WHEN },
  dispute: {
    reason: 'the words of the dispute, in the audit log too',
    opened_by: WHO,
    opened_at: WHEN,
    request_id: WHO,
  },
  dispute_decision: { actor: WHO, reason: 'as hold_decision', detail: 'as reason', decided_at: WHEN },
  correction: { origin: 'where a correction came from; what it says is in the corrected snapshot digest' },
  chain_entry: { published_at: WHEN },
  epoch_failure: {
    '*': 'nothing was published; guard chain needs a row for each gap, and its words are in the audit log',
  },
  request: { '*': 'who asked; in the audit log too' },
  ledger_posting: { booked_at: WHEN },
  entitlement_fold: { '*': 'derived from payout rows; `settle ledger check` derives it again' },
  payment_batch: { '*': 'payments are checked against the ledger by `settle ledger check`' },
  payment_line: { '*': 'as payment_batch' },
  payment_decision: { '*': 'as payment_batch' },
  payment_confirmation: { '*': 'as payment_batch' },
  payment_failure: { '*': 'as payment_batch' },
  witness_cursor: { '*': 'whom we told; a witness itself is compared by `settle audit --witness`' },
  history_archive: { workflow_id: 'as run_id', epoch: 'where to look for the run', archived_at: WHEN },
  workflow_bundle: { stored_at: WHEN },
  partition_archive: {
    '*': 'where rows of old epochs are; those that come back are held against the published digests, row by row',
  },
  partition_return: { '*': 'as partition_archive' },
  archive_carry: {
    '*': 'digests of the two tables below; in the audit log too, and compared by `settle ledger check`',
  },
  archived_entitlement: { '*': 'compared with its digest and the published sums by `settle ledger check`' },
  archived_claim: {
    '*': 'where a derivation of claims starts: check claims holds it against the root published before; its digest is compared by `settle ledger check`',
  },
};

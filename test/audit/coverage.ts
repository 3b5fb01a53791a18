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
  network: {
    network: 'audit-log',
    ...all('audit-log', 'first_epoch last_epoch holds'),
    ...all('policy', 'genesis length_seconds'),
  },
  policy_effective: all('audit-log', 'network from_epoch policy_hash approved_by reason'),
  epoch_failure: all('audit-log', 'network epoch failure_no failure detail actor reason'),
  provider_version: all('rows', 'network provider joined_epoch status payee'),
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
    breakers: 'breakers',
    would_trip: 'audit-log',
    ...all('recompute', 'unallocated_reason payout_count'),
  },
  hold: { ...REVISION, content_digest: 'breakers' },
  hold_decision: {
    ...REVISION,
    ...all('breakers', 'decision content_digest'),
    ...all('audit-log', 'actor reason'),
  },
  dispute: {
    ...all('recompute', 'network epoch dispute base_revision base_computation derive'),
    ...all('audit-log', 'reason opened_by'),
  },
  dispute_decision: {
    ...all('breakers', 'network epoch dispute decision content_digest'),
    ...all('audit-log', 'actor reason'),
  },
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
const LEDGER =
  '`settle ledger check` derives it again from payouts and confirmations; no published figure follows from it';

/** Columns that no check covers, and why a change of them changes nothing that was published. */
export const INFORMATIVE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  network: { grace_seconds: 'how long sealing waits; what was sealed is digested', created_at: WHEN },
  policy: { stored_at: WHEN },
  policy_effective: {
    approval: 'the order of approvals, which the audit log has too',
    proposal: 'which proposal it was; policy, epoch and person are in the audit log',
    approved_at: WHEN,
  },
  policy_proposal: { '*': 'what was only wanted; what came into force is policy_effective' },
  policy_decision: { '*': 'an approval makes a row of policy_effective; a rejection changes nothing' },
  load: { '*': 'where rows came from; the rows themselves are sealed' },
  provider_version: { load_id: 'one that shows or hides a row of a sealed registry is found by its digest' },
  joining: { '*': 'empty but while rows are being added' },
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
  hold: {
    asked_by:
      'the rule that somebody else approves is kept when the decision is recorded; who decided is in the audit log',
    held_at: WHEN,
    deadline: 'a hold that was decided has ended',
  },
  hold_decision: { decided_at: WHEN },
  dispute: { opened_at: WHEN, request_id: 'the audit log has it beside the dispute' },
  dispute_decision: {
    decision_no: 'counts the decisions; the last one is compared with the audit log',
    detail: 'figures of a guard that did not hold: such a dispute publishes nothing',
    decided_at: WHEN,
  },
  correction: { origin: 'where a correction came from; what it says is in the corrected snapshot digest' },
  chain_entry: { published_at: WHEN },
  epoch_failure: { run_id: 'the run that recorded it', failed_at: WHEN },
  request: { '*': 'who asked; what came of it is in the audit log' },
  ledger_posting: { booked_at: WHEN },
  entitlement_fold: { '*': LEDGER },
  payment_batch: { '*': LEDGER },
  payment_line: { '*': LEDGER },
  payment_decision: { '*': LEDGER },
  payment_confirmation: { '*': LEDGER },
  payment_failure: { '*': LEDGER },
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

import { foundBy, type Invariant, REVISIONS, saidBySql } from './evidence';

/** I8 to I15: how what is published came about, what follows from it, and that it goes on. */

const alongTheMachine = saidBySql(
  'I8',
  'an epoch goes from seal to publication step by step, and through a hold or a dispute by another person alone',
  `with ${REVISIONS}
   select format('%s: published without %s', name, missing) as found
   from revisions r left join seal s using (network, epoch) left join snapshot t using (network, epoch)
   left join result q using (network, epoch, revision, computation)
   left join computation k using (network, epoch, revision, computation)
   cross join lateral (values
     ('a seal', s.sealed_at is null or s.sealed_at > r.published_at), ('a snapshot', t.snapshot_digest is null),
     ('a computation', k.computed_at is null or k.computed_at > r.published_at or k.computed_at < s.sealed_at),
     ('a check', q.checked_at is null or q.checked_at > r.published_at or q.checked_at < k.computed_at)) m(missing, is_so)
   where is_so`,
  `with ${REVISIONS}
   select format('%s: its breakers tripped and its hold is %s', name, coalesce(d.decision, 'not decided')) as found
   from revisions r left join hold h using (network, epoch, revision, computation)
   left join hold_decision d using (network, epoch, revision, computation)
   where r.revision = 1 and (jsonb_array_length(r.breakers) > 0 or h.held_at is not null)
     and (d.decision is null or d.decision not in ('approved', 'released') or d.content_digest <> r.content_digest
       or (d.decision = 'approved' and d.actor = h.asked_by))`,
  `with ${REVISIONS}
   select format('%s: its dispute %s is %s by %s', name, r.dispute, coalesce(d.decision, 'not decided'), d.actor) as found
   from revisions r left join dispute o using (network, epoch, dispute)
   left join lateral (select * from dispute_decision d where (d.network, d.epoch, d.dispute) = (r.network, r.epoch, r.dispute)
     order by decision_no desc limit 1) d on true
   where r.revision > 1 and (d.decision is distinct from 'approved' or d.content_digest <> r.content_digest
     or d.actor = o.opened_by or o.base_revision <> r.revision - 1)`,
  `select format('%s %s: failed(%s) and published, and nobody asked for it again', f.network, f.epoch, f.failure) as found
   from epoch_failure f join chain_entry c using (network, epoch)
   where c.kind = 'revision' and c.revision = 1 and not exists (select from request q where q.network = f.network
     and q.action = 'epoch-again' and (q.body ->> 'epoch')::integer = f.epoch)`,
  `select format('%s batch %s: paid and %s', c.network, c.batch, coalesce(d.decision, 'not decided')) as found
   from (select distinct network, batch from payment_confirmation) c join payment_batch b using (network, batch)
   left join payment_decision d using (network, batch)
   where d.decision is distinct from 'approved' or d.actor = b.created_by`,
);

const HEAD_LINE = /^\d+ \d+ [0-9a-f]{64}$/;

const chainUnbroken: Invariant = {
  id: 'I9',
  says: 'every entry is chained to the one before it, and every head is witnessed outside',
  async violations({ rows, heads }) {
    const broken = await foundBy(
      rows,
      `with linked as (
         select *, lag(head, 1, repeat('0', 64)) over (partition by network order by position) as before,
           row_number() over (partition by network order by position) as place from chain_entry)
       select format('%s position %s: does not follow what is before it', network, position) as found from linked
       where position <> place or previous_head <> before or entry::jsonb ->> 'previousHead' <> before
         or head <> encode(sha256(convert_to(entry, 'UTF8')), 'hex')`,
    );
    if (heads === null) return broken;
    const found = await rows.query<{ line: string }>(
      `select format('%s %s %s', epoch, revision, head) as line from chain_entry where kind = 'claims'`,
    );
    const committed = new Set(found.rows.map(({ line }) => line));
    const witnessed = heads.split('\n').filter((line) => line !== '');
    // A line that a kill cut short stays as it is, and its whole form follows.
    const foreign = witnessed.filter(
      (line) => !committed.has(line) && (HEAD_LINE.test(line) || !witnessed.some((other) => other.startsWith(line))),
    );
    const known = new Set(witnessed);
    return [
      ...broken,
      ...foreign.map((line) => `heads.log has ${line}, the database does not`),
      ...[...committed].filter((line) => !known.has(line)).map((line) => `heads.log lacks ${line}`),
    ];
  },
};

const answersHold: Invariant = {
  id: 'I10',
  says: 'what operators were told is what the database has',
  async violations({ rows, answers }) {
    const found = await rows.query<{ key: string; digest: string }>(
      `select format('%s %s@%s', network, epoch, revision) as key, content_digest as digest
       from chain_entry where kind = 'revision'`,
    );
    const digests = new Map(found.rows.map(({ key, digest }) => [key, digest]));
    return answers.flatMap(({ network, epoch, revision, contentDigest, told }) => {
      const key = `${network} ${epoch}@${revision}`;
      const stored = digests.get(key);
      return stored === contentDigest
        ? []
        : [`${key}: ${told} was told ${contentDigest}, stored is ${stored ?? 'nothing'}`];
    });
  },
};

const nothingSkipped = saidBySql(
  'I11',
  'every epoch below the last closed one is published, or failed with a reason',
  `with closed as (
     select network, max(epoch) as last from (
       select network, epoch from chain_entry union all select network, epoch from epoch_failure) c group by network)
   select format('%s %s: neither published nor failed', n.network, e) as found
   from network n join closed using (network) cross join lateral generate_series(n.first_epoch::integer, last::integer) e
   where not exists (select from chain_entry c where (c.network, c.epoch, c.revision) = (n.network, e, 1))
     and not exists (select from epoch_failure f where (f.network, f.epoch) = (n.network, e))`,
  `select format('%s %s: failed(%s) without a reason', network, epoch, failure) as found from epoch_failure
   where btrim(reason) = '' or btrim(actor) = ''`,
);

/** Rows of `rows`, called `what`, that have no `entry` in the audit log. */
const unrecorded = (what: string, rows: string, entry: string): string =>
  `select format('%s: %s has no entry in the audit log', t.network, ${what}) as found from ${rows} t
   where not exists (select from audit_log a where a.network = t.network and a.outcome = 'done' and ${entry})`;

const onRecord = saidBySql(
  'I12',
  'everything that was done is in the audit log with actor, reason and time, and the log is chained',
  `select format('entry %s: %s', entry, wrong) as found from (
     select *, lag(hash, 1, repeat('0', 64)) over (order by entry) as before, row_number() over (order by entry) as place
     from audit_log) a
   cross join lateral (values
     ('does not follow the one before it', entry <> place or previous_hash <> before),
     ('has another hash', hash is distinct from audit_hash(entry, at, network, actor, action, subject, outcome, reason,
        request_id, detail, previous_hash)),
     ('has no actor or reason', btrim(actor) = '' or btrim(reason) = '')) w(wrong, is_so)
   where is_so`,
  ...[
    [
      `format('revision %s of epoch %s', revision, epoch)`,
      `(select * from chain_entry where kind = 'claims')`,
      `a.action = 'publish' and a.subject = format('epoch %s revision %s', t.epoch, t.revision) and a.detail ->> 'head' = t.head`,
    ],
    [
      `format('the approval of the hold of epoch %s', epoch)`,
      `(select * from hold_decision where decision = 'approved')`,
      `a.action = 'hold-approved' and a.subject = format('epoch %s', t.epoch) and a.actor = t.actor and a.detail ->> 'contentDigest' = t.content_digest`,
    ],
    [
      `format('dispute %s of epoch %s', dispute, epoch)`,
      'dispute',
      `a.action = 'dispute-open' and a.subject = format('epoch %s dispute %s', t.epoch, t.dispute) and a.actor = t.opened_by`,
    ],
    [
      `format('the approval of dispute %s of epoch %s', dispute, epoch)`,
      `(select * from dispute_decision where decision = 'approved')`,
      `a.action = 'dispute-approved' and a.subject = format('epoch %s dispute %s', t.epoch, t.dispute) and a.actor = t.actor`,
    ],
    [
      `format('batch %s', batch)`,
      'payment_batch',
      `a.action = 'payment-create' and a.request_id = t.request_id and a.actor = t.created_by`,
    ],
    [
      `format('the decision on batch %s', batch)`,
      'payment_decision',
      `a.action = 'payment-' || t.decision and a.subject = format('batch %s', t.batch) and a.actor = t.actor`,
    ],
    [
      `journal`,
      `(select distinct network, batch, journal, actor from payment_confirmation)`,
      `a.subject = format('batch %s', t.batch) and a.actor = t.actor and (a.action = 'payment-confirm' and a.reason = t.journal
         or a.action = 'payment-confirm-late' and a.detail ->> 'booking' = t.journal)`,
    ],
    [
      `format('the failure of epoch %s', epoch)`,
      'epoch_failure',
      `a.action in ('fail', 'epoch-fail') and a.actor = t.actor`,
    ],
    [`format('load %s', load_id)`, 'load', `a.action = 'import' and a.actor = t.actor`],
  ].map(([what, rows, entry]) => unrecorded(what!, rows!, entry!)),
);

const sameAgain = saidBySql(
  'I13',
  'equal inputs, policy and history give the equal content, however often it was computed',
  `select format('%s %s@%s: %s contents of one snapshot, policy and history', network, epoch, revision, count(distinct content_digest)) as found
   from computation k join result r using (network, epoch, revision, computation)
   group by network, epoch, revision, policy_hash, snapshot_digest, history_digest, dispute
   having count(distinct content_digest) > 1`,
);

/** What each line of a batch came to: nothing where it was rejected, what was confirmed where it was given up. */
const LINES = `
  lines as (
    select l.network, l.batch, l.provider, l.amount, case when d.decision = 'rejected' then 0
        when f.provider is not null then coalesce(c.in_time, 0) else l.amount end as held, coalesce(c.confirmed, 0) as confirmed
    from payment_line l left join payment_decision d using (network, batch)
    left join payment_failure f using (network, batch, provider)
    left join lateral (select sum(k.amount) as confirmed, sum(k.amount) filter (where k.late_reason is null) as in_time from payment_confirmation k
      where (k.network, k.batch, k.provider) = (l.network, l.batch, l.provider)) c on true)`;

const paidOnce = saidBySql(
  'I14',
  'every provider is paid what its revisions and corrections say, never twice, and the accounts say the same',
  `select format('%s: all accounts sum to %s', network, sum(amount)) as found from ledger_posting
   group by network having sum(amount) <> 0`,
  `with ${LINES} select format('%s batch %s, %s: confirmed %s of %s', network, batch, provider, confirmed, amount) as found
   from lines where confirmed > amount`,
  // What was batched up to and with a batch, and confirmed late before it was made, is never more than what its position
  // in the chain entitles to.
  `with ${LINES}, entitled as (
     select b.network, b.batch, p.provider, sum(p.amount) as amount from payment_batch b
     cross join lateral (select distinct on (c.epoch) c.epoch, c.revision, c.computation from chain_entry c
       where c.network = b.network and c.kind = 'revision' and c.position <= b.position order by c.epoch, c.revision desc) n
     join payout p on (p.network, p.epoch, p.revision, p.computation) = (b.network, n.epoch, n.revision, n.computation)
     group by b.network, b.batch, p.provider)
   select format('%s batch %s, %s: %s in all batches, entitled to %s', l.network, l.batch, l.provider, s.held, coalesce(e.amount, 0)) as found
   from lines l join payment_batch b using (network, batch)
   cross join lateral (select sum(o.held) + (
       select coalesce(sum(k.amount), 0) from payment_confirmation k where (k.network, k.provider) = (l.network, l.provider)
         and k.late_reason is not null and k.confirmed_at < b.created_at) as held from lines o
     where o.network = l.network and o.provider = l.provider and o.batch <= l.batch) s
   left join entitled e on (e.network, e.batch, e.provider) = (l.network, l.batch, l.provider)
   where l.held > 0 and s.held > coalesce(e.amount, 0)`,
  `with newest as (
     select distinct on (network, epoch) * from chain_entry where kind = 'revision' order by network, epoch, revision desc),
   owed as (select network, p.provider, sum(p.amount) as amount from newest join payout p using (network, epoch, revision, computation)
     group by network, p.provider)
   select format('%s, %s: the ledger entitles to %s, the newest revisions to %s', n.network, coalesce(e.provider, o.provider), e.entitlement, o.amount) as found
   from network n cross join lateral (
     select e.provider, e.entitlement from entitlements(n.network) e) e
   full join owed o on o.network = n.network and o.provider = e.provider
   where coalesce(e.entitlement, 0) <> coalesce(o.amount, 0)`,
  `with newest as (
     select distinct on (network, epoch) * from chain_entry where kind = 'revision' order by network, epoch, revision desc),
   owed as (select network, sum((entry::jsonb ->> 'sum')::numeric) as amount from newest group by network),
   paid as (select network, sum(amount) as amount from payment_confirmation group by network),
   control as (select network, sum(amount) filter (where account = 'providers') as providers,
     sum(amount) filter (where account = 'paid') as paid from ledger_posting group by network)
   select format('%s: accounts providers %s and paid %s; owed %s, confirmed %s', network, c.providers, c.paid, o.amount, p.amount) as found
   from control c full join owed o using (network) full join paid p using (network)
   where coalesce(c.paid, 0) <> coalesce(p.amount, 0) or c.providers is distinct from o.amount - coalesce(p.amount, 0)`,
);

const goesOn: Invariant = {
  id: 'I15',
  says: 'no epoch and no approved dispute stays open while it waits for nobody',
  violations: ({ rows, openSeconds }) =>
    foundBy(
      rows,
      `with closed as (
         select network, max(epoch) as last, max(moment) as since from (
           select network, epoch, published_at as moment from chain_entry where kind = 'claims'
           union all select network, epoch, failed_at from epoch_failure) c group by network),
       next as (
         select n.*, coalesce(last + 1, first_epoch) as epoch, greatest(created_at, since) as open_since,
           genesis + (coalesce(last + 1, first_epoch) + 1) * length_seconds * interval '1 second' as ended
         from network n left join closed using (network))
       select format('%s %s: open since %s', network, epoch, greatest(open_since, ended)) as found from next x
       where epoch <= last_epoch
         and greatest(open_since, ended + grace_seconds * interval '1 second') + $1 * interval '1 second' < clock_timestamp()
         and not exists (select from hold h left join hold_decision d using (network, epoch, revision, computation)
           where (h.network, h.epoch) = (x.network, x.epoch) and d.decision is null and h.deadline > clock_timestamp())
       union all
       select format('%s %s: dispute %s is approved since %s and not published', d.network, d.epoch, d.dispute, d.decided_at)
       from (select distinct on (network, epoch, dispute) * from dispute_decision order by network, epoch, dispute, decision_no desc) d
       where d.decision = 'approved' and d.decided_at + $1 * interval '1 second' < clock_timestamp()
         and not exists (select from chain_entry c join computation k using (network, epoch, revision, computation)
           where c.kind = 'revision' and (k.network, k.epoch, k.dispute) = (d.network, d.epoch, d.dispute))`,
      [openSeconds],
    ),
};

/** Every column of text and of JSON in the schema, but for the audit log: a refusal may name what it refused. */
const poisonKeptOut: Invariant = {
  id: 'never',
  says: 'nothing of a batch that was refused or never committed is in a table',
  async violations({ rows }) {
    const columns = await rows.query<{ table: string; column: string }>(
      `select c.relname as table, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid
       where c.relnamespace = 'settle'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
         and a.attnum > 0 and not a.attisdropped and c.relname <> 'audit_log'
         and (select coalesce(nullif(t.typbasetype, 0), t.oid) from pg_type t where t.oid = a.atttypid)
           in ('text'::regtype, 'jsonb'::regtype)`,
    );
    const found: string[] = [];
    for (const { table, column } of columns.rows) {
      // Both names come from the catalogue and are quoted by the server.
      const { rows: quoted } = await rows.query<{ sql: string }>(
        `select format('select %L as found from %I t where %I::text like ''%%never:%%'' limit 1', $1::text, $2::text, $3::text) as sql`,
        [`${table}.${column} has a provider of a poisoned batch`, table, column],
      );
      found.push(...(await foundBy(rows, quoted[0]!.sql)));
    }
    return found;
  },
};

export const COURSE: readonly Invariant[] = [
  alongTheMachine,
  chainUnbroken,
  answersHold,
  nothingSkipped,
  onRecord,
  sameAgain,
  paidOnce,
  goesOn,
  poisonKeptOut,
];

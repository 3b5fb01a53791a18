import { foundBy, type Invariant, REVISIONS, saidBySql } from './evidence';

/** I1 to I7: what is published is whole, adds up, and stays as it is. All but I4 look at one moment alone. */

const conserved = saidBySql(
  'I1',
  'the payouts and the remainder of a revision are its budget, in every digit',
  `with ${REVISIONS}
   select format('%s: payouts %s and unallocated %s, the pool is %s', name, paid, told ->> 'unallocated', told ->> 'pool') as found
   from revisions r cross join lateral (
     select coalesce(sum(p.amount), 0) as paid from payout p
     where (p.network, p.epoch, p.revision, p.computation) = (r.network, r.epoch, r.revision, r.computation)) s
   where paid + (told ->> 'unallocated')::numeric is distinct from (told ->> 'pool')::numeric
     or paid is distinct from (told ->> 'sum')::numeric
     or told ->> 'pool' is distinct from derivation ->> 'pool'`,
);

const payoutsWithin = saidBySql(
  'I2',
  'every payout is whole base units from 0 to the cap, and its cuts explain it',
  `with ${REVISIONS}
   select format('%s, %s: amount %s, gross %s, cap %s', name, provider, amount, gross, derivation ->> 'cap') as found
   from revisions r join payout p using (network, epoch, revision, computation)
   where amount < 0 or amount <> trunc(amount) or amount > (derivation ->> 'cap')::numeric or cap_cut < 0 or scale_cut < 0
     or gross - cap_cut - scale_cut <> amount or (reason <> 'paid' and gross <> 0)`,
);

const pricesWithin = saidBySql(
  'I3',
  'every price and multiplier is within its bounds, and moved by no more than one step from the one before',
  `with ${REVISIONS}, priced as (
     select r.name, q.*, r.history, r.policy, r.dispute,
       r.policy -> 'market' -> q.market::text as own, (r.policy -> 'pricing' ->> 'maxStep')::numeric as step,
       r.policy -> 'rewards' -> 'networkMultiplier' as multiplier
     from revisions r join price q using (network, epoch, revision, computation))
   select format('%s, %s: base %s of %s to %s, price %s, before %s, multiplier %s', name, market, base, own ->> 'floor',
     own ->> 'ceiling', price, prev, m_network) as found
   from priced
   where base not between (own ->> 'floor')::numeric and (own ->> 'ceiling')::numeric
     or price not between base and (own ->> 'ceiling')::numeric
     or m_network not between (multiplier ->> 'min')::numeric and (multiplier ->> 'max')::numeric
     or (d_bounds = 0 and base not between round(prev * (1 - step), 12) and round(prev * (1 + step), 12))`,
  // A pinned dispute keeps the prices of the revision before it; every other price starts from the last one published.
  `with ${REVISIONS}
   select format('%s, %s: starts from %s, the last published base is %s', r.name, q.market, q.prev, last.base) as found
   from revisions r join price q using (network, epoch, revision, computation)
   left join dispute d on (d.network, d.epoch, d.dispute) = (r.network, r.epoch, r.dispute)
   cross join lateral (
     select (r.history -> -1 ->> 0)::integer as epoch, (r.history -> -1 ->> 1)::integer as revision) h
   join revisions b on (b.network, b.epoch, b.revision) = (r.network, h.epoch, h.revision)
   join price last on (last.network, last.epoch, last.revision, last.computation, last.market)
     = (b.network, b.epoch, b.revision, b.computation, q.market)
   where d.derive is distinct from 'pinned' and q.prev <> last.base`,
);

const onePublication: Invariant = {
  id: 'I4',
  says: 'an epoch has the revisions 1 to n without gaps, each once with its claims; what was published stays as it was',
  async violations({ rows, seen }) {
    const gaps = await foundBy(
      rows,
      `select format('%s %s: revisions %s', network, epoch, array_agg(revision order by position)) as found
       from chain_entry c where kind = 'revision' group by network, epoch
       having array_agg(revision order by position) <> array(select generate_series(1, count(c.revision)::integer))
       union all
       select format('%s %s@%s: no claims right after it', c.network, c.epoch, c.revision) from chain_entry c
       where c.kind = 'revision' and not exists (select from chain_entry n
         where n.kind = 'claims' and (n.network, n.position, n.epoch, n.revision)
           = (c.network, c.position + 1, c.epoch, c.revision))`,
    );
    const now = await fingerprints(rows);
    const changed = [...seen].filter(([name, before]) => now.get(name) !== before).map(([name]) => name);
    for (const [name, print] of now) seen.set(name, print);
    return [...gaps, ...changed.map((name) => `${name}: is not what was published, or is gone`)];
  },
};

async function fingerprints(rows: Parameters<typeof foundBy>[0]): Promise<ReadonlyMap<string, string>> {
  const found = await rows.query<{ name: string; print: string }>(
    `with ${REVISIONS}
     select name, md5(entry || content
       || coalesce((select string_agg(p::text, ';' order by p.provider) from payout p
            where (p.network, p.epoch, p.revision, p.computation) = (r.network, r.epoch, r.revision, r.computation)), '')
       || coalesce((select string_agg(q::text, ';' order by q.market) from price q
            where (q.network, q.epoch, q.revision, q.computation) = (r.network, r.epoch, r.revision, r.computation)), '')
     ) as print from revisions r`,
  );
  return new Map(found.rows.map(({ name, print }) => [name, print]));
}

const payeesOfInputs = saidBySql(
  'I5',
  'the providers of a revision are those with a sealed capacity row, each once',
  `with ${REVISIONS}, paid as (
     select r.name, p.provider, count(*) as times from revisions r
     join payout p using (network, epoch, revision, computation) group by r.name, p.provider),
   offered as (
     select distinct r.name, c.provider from revisions r
     cross join lateral corrected_capacity(r.network, r.epoch, r.dispute) c)
   select format('%s, %s: %s payout rows, %s', coalesce(p.name, o.name), coalesce(p.provider, o.provider),
     coalesce(p.times, 0), case when o.provider is null then 'no capacity row' else 'a capacity row' end) as found
   from paid p full join offered o using (name, provider)
   where p.times is distinct from 1 or o.provider is null`,
);

const digestsHold = saidBySql(
  'I6',
  'the digests of a revision are those of its rows: content, payouts, snapshot, policy, and the code that made it',
  `with ${REVISIONS}, said as (
     select r.name, r.told, r.content, r.content_digest, r.checked_digest, r.policy_hash, r.snapshot_digest, r.ruleset,
       coalesce(w.snapshot_digest, s.snapshot_digest) as sealed, (r.entry::jsonb - 'previousHead') as entry,
       encode(sha256(convert_to(p.canonical, 'UTF8')), 'hex') as policy_digest,
       (select encode(sha256(convert_to(coalesce(string_agg(concat_ws(',', y.provider, y.gross, y.cap_cut, y.scale_cut,
            y.amount, y.reason) || E'\\n', '' order by y.provider collate "C"), ''), 'UTF8')), 'hex') from payout y
         where (y.network, y.epoch, y.revision, y.computation) = (r.network, r.epoch, r.revision, r.computation)) as payouts
     from revisions r left join policy p using (policy_hash)
     left join snapshot s on (s.network, s.epoch) = (r.network, r.epoch)
     left join corrected_snapshot w on (w.network, w.epoch, w.dispute) = (r.network, r.epoch, r.dispute))
   select format('%s: %s', name, wrong) as found from said cross join lateral (values
     ('the content has another digest', encode(sha256(convert_to(content, 'UTF8')), 'hex') is distinct from content_digest),
     ('another content was checked', checked_digest is distinct from content_digest),
     ('the entry is of another content', entry is distinct from told),
     ('the payout rows have another digest', told ->> 'payoutsDigest' is distinct from payouts),
     ('the snapshot has another digest', told ->> 'snapshotDigest' is distinct from sealed or snapshot_digest is distinct from sealed),
     ('the policy has another hash', told ->> 'policyHash' is distinct from policy_digest or policy_hash is distinct from policy_digest),
     ('the ruleset is another', told ->> 'ruleset' is distinct from ruleset::text)) w(wrong, is_so)
   where is_so`,
);

const allOrNothing = saidBySql(
  'I7',
  'rows of a publication, a batch or a report stand if and only if their header is committed',
  `with ${REVISIONS}
   select format('%s: %s payout rows, its header says %s', name, n, payout_count) as found
   from revisions r cross join lateral (select count(*) as n from payout p
     where (p.network, p.epoch, p.revision, p.computation) = (r.network, r.epoch, r.revision, r.computation)) s
   where n is distinct from payout_count`,
  `with ${REVISIONS}, booked as (select distinct network, journal from ledger_posting where journal like 'publication/%')
   select format('%s: %s', coalesce(r.name, b.network || ' ' || b.journal),
     case when b.journal is null then 'published and not booked' else 'booked and not published' end) as found
   from revisions r full join booked b on b.network = r.network and b.journal = format('publication/%s/%s', r.epoch, r.revision)
   where r.name is null or b.journal is null`,
  `with reported as (select network, journal, sum(amount) as amount from payment_confirmation group by network, journal),
   booked as (select network, journal, sum(amount) as amount from ledger_posting
     where journal like 'confirmation/%' and account = 'paid' group by network, journal)
   select format('%s %s: confirmed %s, booked %s', coalesce(r.network, b.network), coalesce(r.journal, b.journal), r.amount, b.amount) as found
   from reported r full join booked b using (network, journal) where r.amount is distinct from b.amount`,
  `select format('%s batch %s has no lines', network, batch) as found from payment_batch b
   where not exists (select from payment_line l where (l.network, l.batch) = (b.network, b.batch))`,
  `select format('%s: claims at position %s have %s rows above 0, their entry says %s', c.network, c.position, n, c.entry::jsonb ->> 'payees') as found
   from chain_entry c cross join lateral (select count(*) filter (where cumulative > 0) as n from claim m
     where (m.network, m.position) = (c.network, c.position)) s
   where c.kind = 'claims' and n::text <> c.entry::jsonb ->> 'payees'
     and c.position = (select max(l.position) from chain_entry l where l.network = c.network and l.kind = 'claims')`,
);

export const PUBLISHED: readonly Invariant[] = [
  conserved,
  payoutsWithin,
  pricesWithin,
  onePublication,
  payeesOfInputs,
  digestsHold,
  allOrNothing,
];

import { packBundle } from '../../src/audit/bundle';
import type { Difference } from '../../src/audit/difference';
import type { Dossier } from '../../src/audit/dossier';
import type { CheckOutcome } from '../../src/audit/outcomes';
import { SEALED_TABLES } from '../../src/audit/sealed-tables';
import { verifyBundle } from '../../src/audit/verify';
import { SNAPSHOT_TABLES } from '../../src/proofs/digests';
import type { Hashes } from '../../src/proofs/hashes';
import { PAYOUTS_COLUMNS, PRICES_COLUMNS } from '../../src/rulesets/1/tables';
import { type Forged, fitDigests, settleAnew } from './forge';

/** What was changed, by whom, and what found it. */
export interface Attempt {
  readonly adversary: 1 | 2 | 3;
  readonly kind: string;
  readonly found: boolean;
  /** The same with the head that a witness kept. */
  readonly foundWithWitness: boolean;
  readonly checks: readonly string[];
  /** A failing check named table, row and column. */
  readonly named: boolean;
}

/** A small random generator, so that a seed is a table for ever (mulberry32). */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

type Random = (below: number) => number;
type Change = (dossier: Forged, random: Random) => boolean;

/** Changes one cell of one line to another value of the same form; false: there is no such cell. */
function cellOf(lines: (dossier: Forged) => string[], columns: readonly number[]): Change {
  return (dossier, random) => {
    const all = lines(dossier);
    if (all.length === 0) return false;
    const at = random(all.length);
    const cells = all[at]!.split(',');
    const column = columns[random(columns.length)]!;
    const other = otherText(cells[column]!, random);
    if (other === cells[column]) return false;
    cells[column] = other;
    all[at] = cells.join(',');
    return true;
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** A digit that is another one; for words, another letter at the end. */
export function otherText(text: string, random: Random): string {
  if (text === '') return '1';
  const digits = [...text.matchAll(/[0-9]/g)].map((match) => match.index);
  if (digits.length === 0) return text.slice(0, -1) + LETTERS.replace(text.at(-1)!, '')[random(LETTERS.length - 1)];
  const at = digits[random(digits.length)]!;
  return text.slice(0, at) + ((Number(text[at]) + 1 + random(8)) % 10) + text.slice(at + 1);
}

const textAt =
  (path: (dossier: Forged) => [Record<string, any>, string]): Change =>
  (dossier, random) => {
    const [owner, key] = path(dossier);
    if (owner === null || owner[key] === undefined || owner[key] === null) return false;
    const other = otherText(String(owner[key]), random);
    if (other === String(owner[key])) return false;
    owner[key] = typeof owner[key] === 'number' ? Number(other) : other;
    return true;
  };

/** Kinds of changes: what a bundle holds, part by part. */
export const KINDS: Readonly<Record<string, Change>> = {
  'sealed registry row': cellOf((d) => d.rows.providers, [0, 1, 3]),
  'sealed capacity row': cellOf((d) => d.rows.capacity, [1, 3, 4]),
  'sealed performance row': cellOf((d) => d.rows.performance, [2, 3, 4, 5]),
  'sealed demand row': cellOf((d) => d.rows.demand, [2]),
  'sealed quote': cellOf((d) => d.rows.quotes, [3]),
  'sealed token row': cellOf((d) => d.rows.token, [3, 4]),
  'sealed macro row': cellOf((d) => d.rows.macro, [1]),
  'row removed': (d, random) => d.rows.capacity.splice(random(d.rows.capacity.length), 1).length === 1,
  'price row': cellOf(
    (d) => d.prices,
    Array.from({ length: 41 }, (_, index) => index + 1),
  ),
  'payout row': cellOf((d) => d.payouts, [1, 2, 3, 4, 5, 6]),
  'payout moved': (d, random) => {
    const [from, to] = [random(d.payouts.length), random(d.payouts.length)];
    const [a, b] = [d.payouts[from]!.split(','), d.payouts[to]!.split(',')];
    if (from === to || a[4] === '0' || a[4] === b[4]) return false;
    [a[4], b[4]] = [b[4]!, a[4]!];
    d.payouts[from] = a.join(',');
    d.payouts[to] = b.join(',');
    return true;
  },
  'policy text': (d, random) => {
    const other = otherText(d.policy.canonical, random);
    d.policy.canonical = other;
    return true;
  },
  'snapshot facts': textAt((d) => [d.snapshot.facts.performance, 'activeProviders']),
  derivation: textAt((d) => [d.header.derivation, 'cap']),
  'history named': textAt((d) => [d.header.history.at(-1) ?? {}, '2']),
  'history read': (d, random) => {
    const record = d.records.at(-1);
    return record !== undefined && cellOf(() => record.prices, [1, 3, 12, 13])(d, random);
  },
  content: textAt((d) => [d.result, 'content']),
  'content digest': textAt((d) => [d.result, 'contentDigest']),
  breakers: (d) => {
    d.result.breakers =
      d.result.breakers.length > 0 ? [] : [{ id: 'topShare', figure: '1', limit: '0.5', subject: null }];
    return true;
  },
  approval: (d) => {
    if (d.approval.hold === null) return false;
    d.approval.hold.decision = 'rejected';
    return true;
  },
  'chain entry': textAt((d) => [d.entries.at(-2), 'entry']),
  'claims entry': textAt((d) => [d.entries.at(-1), 'entry']),
  head: textAt((d) => [d.entries.at(-1), 'head']),
  'claims before': (d, random) => {
    const state = d.claims.before[0];
    if (state === undefined) return false;
    state[2] = otherText(state[2], random);
    return true;
  },
  'ledger posting': textAt((d) => [d.postings[0], 'amount']),
};

/** Kinds that adversary 3 settles anew from: what an insider would want changed. */
const SETTLED_ANEW = ['sealed capacity row', 'sealed performance row', 'sealed registry row'] as const;

/** A dossier as an adversary leaves it; null: the drawn change was none, or what it makes cannot be settled. */
export function forge(
  dossier: Dossier,
  hashes: Hashes,
  random: Random,
  adversary: Attempt['adversary'],
  kinds: readonly string[] = adversary === 3 ? SETTLED_ANEW : Object.keys(KINDS),
): { readonly kind: string; readonly forged: Forged; readonly changed: readonly ChangedCell[] } | null {
  const kind = kinds[random(kinds.length)]!;
  const forged = structuredClone(dossier) as unknown as Forged;
  if (!KINDS[kind]!(forged, random)) return null;
  const changed = changedLines(dossier, forged);
  if (adversary === 2) quietly(() => fitDigests(forged, hashes));
  if (adversary === 3 && !quietly(() => settleAnew(forged, hashes))) return null;
  // Fitting the digests can undo the change.
  if (JSON.stringify(forged) === JSON.stringify(dossier)) return null;
  if (adversary === 3 && JSON.stringify(forged.entries) === JSON.stringify(dossier.entries)) return null;
  return { kind, forged, changed };
}

/** One attempt on a bundle; null as {@link forge}. */
export function attempt(dossier: Dossier, hashes: Hashes, random: Random): Attempt | null {
  const adversary = (1 + random(3)) as 1 | 2 | 3;
  const made = forge(dossier, hashes, random, adversary);
  if (made === null) return null;
  const { kind, forged, changed } = made;
  const bundle = JSON.parse(JSON.stringify(packBundle([forged as unknown as Dossier])));
  const witnessed = dossier.entries.at(-1)!.head;
  const alone = failures(() => verifyBundle(bundle, hashes, null).outcomes);
  const anchored = failures(() => verifyBundle(bundle, hashes, witnessed).outcomes);
  return {
    adversary,
    kind,
    found: alone.length > 0,
    foundWithWitness: anchored.length > 0,
    checks: alone.map(({ check }) => check),
    named: alone.some(({ difference }) => difference !== null && isNamed(difference, changed)),
  };
}

/** Cells that an attempt changed, as failures name them; none: what was changed is no row of a table. */
interface ChangedCell {
  readonly table: string;
  readonly key: string;
  readonly column: string;
}

const RESULT_TABLES = {
  prices: { name: 'price', columns: PRICES_COLUMNS as readonly string[], keyLength: 1 },
  payouts: { name: 'payout', columns: [...PAYOUTS_COLUMNS, 'multiplier'], keyLength: 1 },
};

function changedLines(before: Dossier, after: Forged): readonly ChangedCell[] {
  const compared = [
    ...SNAPSHOT_TABLES.map((table) => ({ ...SEALED_TABLES[table], own: before.rows[table], other: after.rows[table] })),
    { ...RESULT_TABLES.prices, own: before.prices, other: after.prices },
    { ...RESULT_TABLES.payouts, own: before.payouts, other: after.payouts },
  ];
  return compared.flatMap(({ name, columns, keyLength, own, other }) => {
    const lost = own.filter((line) => !other.includes(line));
    const found = (other as string[]).filter((line) => !own.includes(line));
    return lost.flatMap((line, index) => {
      const [old, now] = [line.split(','), found[index]?.split(',')];
      const key = (now ?? old).slice(0, keyLength).join('/');
      if (now === undefined) return [{ table: name, key, column: 'key' }];
      return columns.flatMap((column, at) => (old[at] === now[at] ? [] : [{ table: name, key, column }]));
    });
  });
}

/** The very cell is named; where no row of a table was changed, that anything is named down to a column. */
function isNamed({ table, row, column }: Difference, changed: readonly ChangedCell[]): boolean {
  if (changed.length === 0) return true;
  return changed.some((cell) => table === cell.table && row.includes(cell.key) && column === cell.column);
}

function quietly(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    return false;
  }
}

/** A bundle that cannot even be read is found as well. */
function failures(verify: () => readonly CheckOutcome[]): readonly Pick<CheckOutcome, 'check' | 'difference'>[] {
  try {
    return verify().filter(({ outcome }) => outcome === 'failed');
  } catch {
    return [{ check: 'rows', difference: null }];
  }
}

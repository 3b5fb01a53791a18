import { bundleSchema, tooManyDecays } from './bundle-schema';
import type { ChainLink, Dossier, PublishedRecord } from './dossier';

/** One file with everything that the published revisions of an epoch rest on; the same for a laptop and a browser. */
export const BUNDLE_FORMAT = 'settle-audit-bundle-1';

/** What the revisions of an epoch share stands once: they read nearly the same history. */
export interface AuditBundle {
  readonly format: typeof BUNDLE_FORMAT;
  readonly network: string;
  readonly epoch: number;
  /** The chain without a gap over all revisions. */
  readonly entries: readonly ChainLink[];
  /** Price rows of published revisions, by `epoch/revision`. */
  readonly prices: Readonly<Record<string, readonly string[]>>;
  readonly revisions: readonly PackedDossier[];
}

type Shared = 'entries' | 'records' | 'older' | 'base' | 'prices';

interface PackedDossier extends Omit<Dossier, Shared> {
  /** First and last position of its part of the chain. */
  readonly links: readonly [number, number];
  readonly reads: readonly string[];
  readonly readsOlder: readonly string[];
  readonly base: Omit<NonNullable<Dossier['base']>, keyof PublishedRecord> | null;
}

const nameOf = ({ epoch, revision }: { readonly epoch: number; readonly revision: number }) => `${epoch}/${revision}`;

/** Packs the revisions of an epoch, in the order of the chain. @throws RangeError of none */
export function packBundle(dossiers: readonly Dossier[]): AuditBundle {
  const [first] = dossiers;
  if (first === undefined) throw new RangeError('a bundle has at least one revision');
  const entries = new Map<number, ChainLink>();
  const prices: Record<string, readonly string[]> = {};
  for (const dossier of dossiers) {
    for (const { position, entry, head } of dossier.entries) entries.set(position, { position, entry, head });
    for (const record of [...dossier.records, ...dossier.older, dossier]) prices[nameOf(record)] = record.prices;
  }
  return {
    format: BUNDLE_FORMAT,
    network: first.network,
    epoch: first.epoch,
    entries: [...entries.values()].sort((a, b) => a.position - b.position),
    prices,
    revisions: dossiers.map(packed),
  };
}

function packed({ entries, records, older, base, prices: _own, ...dossier }: Dossier): PackedDossier {
  return {
    ...dossier,
    links: [entries[0]!.position, entries.at(-1)!.position],
    reads: records.map(nameOf),
    readsOlder: older.map(nameOf),
    base: base && {
      computation: base.computation,
      derive: base.derive,
      derivation: base.derivation,
      historyDigest: base.historyDigest,
      payouts: base.payouts,
    },
  };
}

/** A file that is no audit bundle, or lacks a part that another part of it names. */
export class BundleUnreadable extends Error {
  override readonly name = 'BundleUnreadable';
}

/** The dossiers of a bundle, from its parsed JSON. @throws BundleUnreadable that names the part */
export function unpackBundle(value: unknown): readonly Dossier[] {
  const format = typeof value === 'object' && value !== null ? (value as { format?: unknown }).format : undefined;
  if (format !== BUNDLE_FORMAT) {
    const other =
      typeof format === 'string' && format.startsWith('settle-audit-bundle-') ? `${format.slice(0, 40)}` : null;
    throw new BundleUnreadable(
      other === null
        ? `this is no audit bundle: its format is not ${BUNDLE_FORMAT}`
        : `this is an audit bundle of another version, ${other}: this version reads ${BUNDLE_FORMAT}`,
    );
  }
  const { success, error } = bundleSchema.safeParse(value);
  if (!success) throw new BundleUnreadable(`a part of the bundle is missing or no such part: ${firstOf(error)}`);
  const bundle = value as AuditBundle;
  for (const { policy, epoch } of bundle.revisions) {
    if (tooManyDecays(policy.canonical, epoch))
      throw new BundleUnreadable(`the pool of epoch ${epoch} decayed more often than is computed here`);
  }
  return unpacked(bundle);
}

function firstOf({ issues }: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const { path, message } = issues[0]!;
  return `${path.map(String).join('.').slice(0, 200) || 'the bundle'}: ${message.slice(0, 200)}`;
}

function unpacked(bundle: AuditBundle): readonly Dossier[] {
  const entryOf = new Map<string, string>();
  for (const { entry, position } of bundle.entries) {
    const { kind, epoch, revision } = read(entry, position);
    if (kind === 'revision') entryOf.set(`${epoch}/${revision}`, entry);
  }
  const records = new Map<string, PublishedRecord>();
  const recordOf = (name: string): PublishedRecord => {
    const known = records.get(name);
    if (known !== undefined) return known;
    const [epoch, revision] = name.split('/').map(Number);
    const entry = entryOf.get(name);
    // Not of the prototype: a name is whatever the file says.
    const prices = Object.hasOwn(bundle.prices, name) ? bundle.prices[name] : undefined;
    if (entry === undefined) throw new BundleUnreadable(`the bundle has no chain entry of ${name}`);
    if (prices === undefined) throw new BundleUnreadable(`the bundle has no prices of ${name}`);
    const record = { epoch: epoch!, revision: revision!, entry, prices };
    records.set(name, record);
    return record;
  };
  return bundle.revisions.map(({ links, reads, readsOlder, base, ...rest }) => ({
    ...rest,
    entries: bundle.entries.filter(({ position }) => position >= links[0] && position <= links[1]),
    records: reads.map(recordOf),
    older: readsOlder.map(recordOf),
    base: base && { ...recordOf(`${rest.epoch}/${rest.revision - 1}`), ...base },
    prices: recordOf(nameOf(rest)).prices,
  }));
}

function read(entry: string, position: number): { kind: string; epoch: number; revision: number } {
  try {
    return JSON.parse(entry);
  } catch (error) {
    throw new BundleUnreadable(`entry ${position} of the chain is no JSON: ${(error as Error).message}`);
  }
}

import { canonicalJson } from './canonical-json';
import { type Content, checkedContent } from './contents';
import { isDigest } from './digests';
import { ProofError } from './errors';
import { type Hashes, sha256Hex } from './hashes';

/** The head before the first entry of a network's chain (spec §9). */
export const GENESIS_HEAD = '0'.repeat(64);

/** An entry as it is stored and published: its canonical JSON, and the SHA-256 of that, which is the new head. */
export interface ChainEntry {
  readonly entry: string;
  readonly head: string;
}

/**
 * The entry that puts a content on the chain: the content with `previousHead` added (spec §9).
 * @throws ProofError `content-not-valid`, or `head-not-valid` if the previous head is not 64 lower-case hex digits.
 */
export function chainEntry(hashes: Pick<Hashes, 'sha256'>, content: Content, previousHead: string): ChainEntry {
  if (!isDigest(previousHead)) {
    throw new ProofError('head-not-valid', {
      what: `${JSON.stringify(previousHead)} is no head of a chain.`,
      where: `${content.kind} of epoch ${content.epoch}, revision ${content.revision}`,
      todo: 'read the head of the network under its lock; before the first entry it is 64 zeros.',
    });
  }
  const entry = canonicalJson({ ...checkedContent({ ...content }), previousHead });
  return { entry, head: sha256Hex(hashes, entry) };
}

/** Where a chain breaks. `index` counts entries from 0; it is the number of entries where the end is missing. */
interface ChainFault {
  readonly index: number;
  readonly reason: string;
}

export interface ChainVerdict {
  /** Entries that hold; all of them if `fault` is null. */
  readonly entries: number;
  /** Head after the last entry that holds. */
  readonly head: string;
  /** The first break; entries after it prove nothing. null: the chain is whole. */
  readonly fault: ChainFault | null;
}

/**
 * Verifies a chain from its first entry (spec §9): each entry is canonical JSON of a content of the same network that
 * names the head before it, every revision is followed by its claims, and the revisions of an epoch count up from 1.
 *
 * A chain cut off at its end looks whole from inside; pass `expectedHead`, kept from elsewhere, to notice that. An
 * entry given with a stored `head` is compared with the computed one.
 *
 * @returns a verdict; nothing is thrown for a chain that does not hold.
 */
export function verifyChain(
  hashes: Pick<Hashes, 'sha256'>,
  entries: Iterable<{ readonly entry: string; readonly head?: string }>,
  expectedHead?: string,
): ChainVerdict {
  const walk: Walk = { head: GENESIS_HEAD, network: null, open: null, revisions: new Map() };
  let index = 0;
  for (const { entry, head } of entries) {
    const reason = step(hashes, walk, entry, head);
    if (reason !== null) return { entries: index, head: walk.head, fault: { index, reason } };
    index++;
  }
  return { entries: index, head: walk.head, fault: faultAtEnd(walk, index, expectedHead) };
}

/** Where the verification of a chain stands. */
interface Walk {
  head: string;
  network: string | null;
  /** The revision whose claims must come next. */
  open: { readonly epoch: number; readonly revision: number } | null;
  /** Newest revision of each epoch so far. */
  readonly revisions: Map<number, number>;
}

/** Takes one entry; returns why it does not hold, or null after moving the walk on. */
function step(hashes: Pick<Hashes, 'sha256'>, walk: Walk, entry: string, storedHead?: string): string | null {
  const read = readEntry(entry);
  if (typeof read === 'string') return read;
  const { content, previousHead } = read;
  if (previousHead !== walk.head) return `it names the previous head ${previousHead}, but that is ${walk.head}`;
  if (walk.network !== null && content.network !== walk.network) {
    return `it belongs to the network ${content.network}, the entries before it to ${walk.network}`;
  }
  const reason = content.kind === 'revision' ? openRevision(walk, content) : closeRevision(walk, content);
  if (reason !== null) return reason;
  const head = sha256Hex(hashes, entry);
  if (storedHead !== undefined && storedHead !== head) return `its stored head is ${storedHead}, its hash ${head}`;
  walk.head = head;
  walk.network = content.network;
  return null;
}

function openRevision(walk: Walk, { epoch, revision }: Content): string | null {
  if (walk.open !== null) return `the claims of epoch ${walk.open.epoch}, revision ${walk.open.revision} are missing`;
  const next = (walk.revisions.get(epoch) ?? 0) + 1;
  if (revision !== next) return `it is revision ${revision} of epoch ${epoch} where revision ${next} is due`;
  walk.open = { epoch, revision };
  walk.revisions.set(epoch, revision);
  return null;
}

function closeRevision(walk: Walk, { epoch, revision }: Content): string | null {
  if (walk.open?.epoch !== epoch || walk.open.revision !== revision) {
    return `these are claims of epoch ${epoch}, revision ${revision}, which is not the entry before them`;
  }
  walk.open = null;
  return null;
}

function faultAtEnd(walk: Walk, index: number, expectedHead?: string): ChainFault | null {
  if (walk.open !== null) {
    return { index, reason: `the claims of epoch ${walk.open.epoch}, revision ${walk.open.revision} are missing` };
  }
  if (expectedHead !== undefined && expectedHead !== walk.head) {
    return { index, reason: `the chain ends at head ${walk.head}, not at ${expectedHead}` };
  }
  return null;
}

/** Reads an entry's text; returns why it is none if it is not exactly what `chainEntry` writes. */
function readEntry(entry: string): { content: Content; previousHead: string } | string {
  const parsed = parsedJson(entry);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return 'it is not a JSON object';
  try {
    // Also refuses what JSON.parse forgives: a key given twice, other spacing, other number forms.
    if (canonicalJson(parsed) !== entry) return 'it is not in canonical JSON (RFC 8785)';
    const { previousHead, ...content } = parsed as Record<string, unknown>;
    if (!isDigest(previousHead)) return 'it has no valid previousHead';
    return { content: checkedContent(content), previousHead };
  } catch (error) {
    if (error instanceof ProofError) return error.what;
    throw error;
  }
}

/** The value of a JSON text; undefined, which no JSON text means, where it is none. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

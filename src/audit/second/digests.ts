/** Digests of tables, snapshots and documents (spec §9). */
import { canonicalJson, utf8 } from './canonical';
import { type Row, TABLE_NAMES, type Tables } from './tables';

/** A hash function from bytes to lower-case hex without a prefix. */
export type HashFunction = (bytes: Uint8Array) => string;

export interface Hashes {
  readonly sha256: HashFunction;
  readonly keccak256: HashFunction;
}

/** Digest of a table: SHA-256 of its canonical lines, which come in the order of their key. */
export function tableDigest(rows: readonly Row[], sha256: HashFunction): string {
  return sha256(utf8(rows.map((row) => `${row.join(',')}\n`).join('')));
}

/** Snapshot digest: SHA-256 over `name:hexdigest\n` of the seven tables in the order of spec §3. */
export function snapshotDigest(tables: Tables, sha256: HashFunction): string {
  return sha256(utf8(TABLE_NAMES.map((name) => `${name}:${tableDigest(tables[name], sha256)}\n`).join('')));
}

/** SHA-256 of a document's canonical JSON: the hash of a policy (spec §2) and of a chain entry (§9). */
export function documentDigest(document: unknown, sha256: HashFunction): string {
  return sha256(utf8(canonicalJson(document)));
}

import { digestOfRows } from '../proofs/digests';
import type { Hashes } from '../proofs/hashes';

/** What a line pays: to whom, at which payee, base units as canonical text. */
export interface DigestedLine {
  readonly provider: string;
  readonly payee: string;
  readonly amount: string;
}

/**
 * Digest of the lines of a payment batch, which its approval is bound to: SHA-256 over the canonical lines
 * `provider,payee,amount`, sorted by provider, as 64 lower-case hex digits. What was confirmed of them is no part of it.
 *
 * @throws ProofError `unsafe-cell`; `row-order` if a provider has two lines
 */
export function linesDigest(hashes: Pick<Hashes, 'sha256'>, lines: readonly DigestedLine[]): string {
  const rows = lines.map(({ provider, payee, amount }) => [provider, payee, amount] as const);
  // Identifiers are ASCII, so comparing UTF-16 units is comparing bytes. None stands twice, or there is no digest.
  rows.sort(([a], [b]) => (a < b ? -1 : 1));
  return digestOfRows(hashes, [{ index: 0, order: 'bytes' }], rows);
}

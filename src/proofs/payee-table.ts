import { ProofError } from './errors';
import { toHex, writeHex } from './hex';

/**
 * The payees of a claims tree and their cumulative amounts, 52 bytes each, in pages that never move: a million payees
 * cost 52 MB and no object. Payees come in ascending order, which makes duplicates plain and lookups a binary search.
 */

const ADDRESS_BYTES = 20;
const AMOUNT_BYTES = 32;
const RECORD_BYTES = ADDRESS_BYTES + AMOUNT_BYTES;
// The ABI pads an address to 32 bytes in front.
const ABI_PADDING = 12;
/** Length of `abi.encode(address, uint256)`. */
export const ABI_BYTES = ABI_PADDING + RECORD_BYTES;
const PAGE_BITS = 12;
const PAGE_RECORDS = 1 << PAGE_BITS;
const AMOUNT_LIMIT = 1n << 256n;

export class PayeeTable {
  readonly #pages: { readonly bytes: Uint8Array; readonly view: DataView }[] = [];
  #length = 0;
  #total = 0n;

  /** Number of payees. */
  get length(): number {
    return this.#length;
  }

  /** Sum of the amounts, in base units. */
  get total(): bigint {
    return this.#total;
  }

  /**
   * Adds the next payee.
   * @param payee 0x-prefixed address of 20 bytes, either case; after the one before it by bytes.
   * @param amount cumulative amount in base units, above 0 and below 2^256; decimal text or bigint.
   * @throws ProofError `payee-not-valid`, `payee-order`, `amount-not-valid`.
   */
  add(payee: string, amount: bigint | string): void {
    const index = this.#length;
    if ((index & (PAGE_RECORDS - 1)) === 0) this.#addPage();
    const { bytes, view } = this.#page(index);
    const offset = offsetInPage(index);
    const value = writeClaim(payee, amount, view, offset);
    if (index > 0 && this.#compareAddress(index - 1, bytes, offset) >= 0) {
      throw payeeOrder(this.address(index - 1), payee, index);
    }
    this.#total += value;
    this.#length++;
  }

  /** 0x-prefixed address in lower case. */
  address(index: number): string {
    return toHex(this.#page(index).bytes, offsetInPage(index), ADDRESS_BYTES);
  }

  /** Cumulative amount in base units. */
  amount(index: number): bigint {
    const { view } = this.#page(index);
    const offset = offsetInPage(index) + ADDRESS_BYTES;
    let value = 0n;
    for (let word = 0; word < 4; word++) value = (value << 64n) | view.getBigUint64(offset + 8 * word);
    return value;
  }

  /** Index of a payee, either case; -1 if it is not here. */
  indexOf(payee: string): number {
    const wanted = new Uint8Array(ADDRESS_BYTES);
    if (!writeHex(payee, wanted, 0, ADDRESS_BYTES)) return -1;
    let low = 0;
    let high = this.#length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = this.#compareAddress(middle, wanted, 0);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  /** Writes `abi.encode(address, uint256)` of a payee, 64 bytes; the first 12 of `target` must be zero already. */
  writeAbi(index: number, target: Uint8Array): void {
    const { bytes } = this.#page(index);
    const offset = offsetInPage(index);
    for (let i = 0; i < RECORD_BYTES; i++) target[ABI_PADDING + i] = bytes[offset + i]!;
  }

  /** Compares the address at `index` with the 20 bytes at `offset` of `other`: negative, 0 or positive. */
  #compareAddress(index: number, other: Uint8Array, offset: number): number {
    const { bytes } = this.#page(index);
    const start = offsetInPage(index);
    for (let i = 0; i < ADDRESS_BYTES; i++) {
      const difference = bytes[start + i]! - other[offset + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }

  #addPage(): void {
    const bytes = new Uint8Array(PAGE_RECORDS * RECORD_BYTES);
    this.#pages.push({ bytes, view: new DataView(bytes.buffer) });
  }

  #page(index: number): { readonly bytes: Uint8Array; readonly view: DataView } {
    const page = this.#pages[index >>> PAGE_BITS];
    if (page === undefined) throw new RangeError(`no payee at ${index}: there are ${this.#length}`);
    return page;
  }
}

/**
 * `abi.encode(address, uint256)` of one claim, 64 bytes.
 * @throws ProofError `payee-not-valid`, `amount-not-valid`.
 */
export function abiClaim(payee: string, amount: bigint | string): Uint8Array {
  const encoded = new Uint8Array(ABI_BYTES);
  writeClaim(payee, amount, new DataView(encoded.buffer), ABI_PADDING);
  return encoded;
}

/** Checks a claim and writes its 52 bytes, address and amount. Returns the amount. */
function writeClaim(payee: string, amount: bigint | string, view: DataView, offset: number): bigint {
  const bytes = new Uint8Array(view.buffer);
  if (!writeHex(payee, bytes, offset, ADDRESS_BYTES) || isZero(bytes, offset)) throw payeeNotValid(payee);
  const value = amountOf(amount, payee);
  let rest = value;
  for (let word = 3; word >= 0; word--) {
    view.setBigUint64(offset + ADDRESS_BYTES + 8 * word, BigInt.asUintN(64, rest));
    rest >>= 64n;
  }
  return value;
}

function offsetInPage(index: number): number {
  return (index & (PAGE_RECORDS - 1)) * RECORD_BYTES;
}

function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < ADDRESS_BYTES; i++) if (bytes[offset + i] !== 0) return false;
  return true;
}

function amountOf(amount: bigint | string, payee: string): bigint {
  const value = typeof amount === 'bigint' ? amount : /^[0-9]{1,78}$/.test(amount) ? BigInt(amount) : -1n;
  if (value > 0n && value < AMOUNT_LIMIT) return value;
  throw new ProofError('amount-not-valid', {
    what: `${String(amount).slice(0, 100)} is no amount that can be claimed.`,
    where: `payee ${payee}`,
    todo: 'give whole base units above 0 and below 2^256; payees with nothing are left out (spec §9).',
  });
}

function payeeNotValid(payee: string): ProofError {
  return new ProofError('payee-not-valid', {
    what: `${JSON.stringify(payee).slice(0, 100)} is no payee.`,
    where: 'claims',
    todo: 'give 0x and 40 hex digits, and not the zero address.',
  });
}

function payeeOrder(previous: string, payee: string, index: number): ProofError {
  const same = previous === payee.toLowerCase();
  return new ProofError('payee-order', {
    what: same ? `The payee ${payee} is there twice.` : `The payee ${payee} does not come after ${previous}.`,
    where: `payee ${index + 1} of the claims`,
    todo: 'give each payee once, ordered by address (lower case, by bytes).',
  });
}

import { ProofError } from './errors';
import type { Keccak256 } from './hashes';
import { toHex, writeHex } from './hex';
import { compareHashes, HASH_BYTES, sortHashesDescending } from './leaf-order';
import { ABI_BYTES, abiClaim, PayeeTable } from './payee-table';

/**
 * What payees may have claimed in all, as a Merkle tree in the OpenZeppelin `standard-v1` format over
 * `["address","uint256"]` (spec §9):
 *
 * - leaf = keccak256(keccak256(abi.encode(payee, cumulative amount))), parent = keccak256(lower child, higher child);
 * - n leaves, ascending, fill the end of an array of 2n - 1 nodes backwards; node i has the children 2i+1 and 2i+2;
 * - the root of no payees at all is 0x and 64 zeros.
 *
 * The format's own library keeps each node as hex text; here the nodes are one array of bytes, because the same tree
 * is rebuilt after every revision for as many payees as there are: 116 bytes a payee, and none besides while it is
 * built. Where a payee's leaf is, is not stored: its hash is looked up among the leaves, which are sorted.
 */

/** Root of a tree without payees (spec §9). */
export const EMPTY_ROOT = `0x${'0'.repeat(64)}`;

const LEAF_ENCODING = ['address', 'uint256'] as const;

/** The `standard-v1` form that `StandardMerkleTree.load` of the published library reads. */
export interface ClaimsDump {
  readonly format: 'standard-v1';
  readonly leafEncoding: readonly ['address', 'uint256'];
  readonly tree: string[];
  readonly values: { readonly value: readonly [payee: string, amount: string]; readonly treeIndex: number }[];
}

/**
 * Builds the tree of claims that are in memory: payees ascending by address, each once, amounts in base units.
 * @throws ProofError `payee-not-valid`, `payee-order`, `amount-not-valid`.
 */
export function buildClaimsTree(
  claims: Iterable<readonly [payee: string, amount: bigint | string]>,
  keccak256: Keccak256,
): ClaimsTree {
  const payees = new PayeeTable();
  for (const [payee, amount] of claims) payees.add(payee, amount);
  return new ClaimsTree(payees, keccak256);
}

export class ClaimsTree {
  readonly #payees: PayeeTable;
  readonly #nodes: Uint8Array;
  readonly #keccak256: Keccak256;

  /**
   * Builds the tree of a table of payees, which must not change any more.
   * @param nodes what `nodesOf` made of that table; absent: made now, in one go
   */
  constructor(payees: PayeeTable, keccak256: Keccak256, nodes: Uint8Array = atOnce(nodesOf(payees, keccak256))) {
    this.#payees = payees;
    this.#keccak256 = keccak256;
    this.#nodes = nodes;
  }

  /** 0x-prefixed root. */
  get root(): string {
    return this.#nodes.length === 0 ? EMPTY_ROOT : toHex(this.#nodes, 0, HASH_BYTES);
  }

  /** Number of payees. */
  get payees(): number {
    return this.#payees.length;
  }

  /** Sum of the cumulative amounts, in base units. */
  get total(): bigint {
    return this.#payees.total;
  }

  /** A payee's cumulative amount in base units; 0 if it has no leaf. */
  amount(payee: string): bigint {
    const index = this.#payees.indexOf(payee);
    return index < 0 ? 0n : this.#payees.amount(index);
  }

  /**
   * Sibling hashes from a payee's leaf up to the root, 0x-prefixed; none if it is the only payee.
   * @throws ProofError `payee-not-in-tree`.
   */
  proof(payee: string): string[] {
    const proof: string[] = [];
    for (let node = this.leafIndex(payee); node > 0; node = (node - 1) >>> 1) {
      const sibling = node % 2 === 1 ? node + 1 : node - 1;
      proof.push(toHex(this.#nodes, HASH_BYTES * sibling, HASH_BYTES));
    }
    return proof;
  }

  /**
   * Where in the `tree` of the dump a payee's leaf is.
   * @throws ProofError `payee-not-in-tree`.
   */
  leafIndex(payee: string): number {
    const index = this.#payees.indexOf(payee);
    if (index >= 0) return this.#treeIndex(index);
    throw new ProofError('payee-not-in-tree', {
      what: `${JSON.stringify(payee).slice(0, 100)} has no claim in this tree.`,
      where: `claims tree with root ${this.root}`,
      todo: 'check the address; a payee without any entitlement so far has no leaf.',
    });
  }

  /**
   * The `standard-v1` dump as an object, payees ascending. For large trees write `dumpJson` instead. The published
   * library refuses to load the dump of an empty tree, as it knows no empty trees.
   */
  dump(): ClaimsDump {
    return JSON.parse([...this.dumpJson()].join('')) as ClaimsDump;
  }

  /** The `standard-v1` dump as JSON text, piece by piece. */
  *dumpJson(): Generator<string, void, undefined> {
    yield `{"format":"standard-v1","leafEncoding":${JSON.stringify(LEAF_ENCODING)},"tree":[`;
    const nodeCount = this.#nodes.length / HASH_BYTES;
    yield* joined(nodeCount, (node) => `"${toHex(this.#nodes, HASH_BYTES * node, HASH_BYTES)}"`);
    yield '],"values":[';
    yield* joined(this.payees, (index) => {
      const value = `["${this.#payees.address(index)}","${this.#payees.amount(index)}"]`;
      return `{"value":${value},"treeIndex":${this.#treeIndex(index)}}`;
    });
    yield ']}';
  }

  /** Where in the tree the leaf of a payee is. */
  #treeIndex(index: number): number {
    const encoded = new Uint8Array(ABI_BYTES);
    this.#payees.writeAbi(index, encoded);
    const leaf = leafHash(encoded, this.#keccak256);
    let low = this.payees - 1;
    let high = 2 * low;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareHashes(this.#nodes, middle, leaf, 0) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Items joined by commas, some hundreds at a time. */
function* joined(count: number, item: (index: number) => string): Generator<string, void, undefined> {
  let piece = '';
  for (let index = 0; index < count; index++) {
    piece += index === 0 ? item(index) : `,${item(index)}`;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** Between two steps of building a tree lie so many hashes at most: some hundredths of a second. */
const STEP_HASHES = 16_384;

/** The nodes of the tree, made in steps, so that whoever has something else to do can do it in between. */
function* nodesOf(payees: PayeeTable, keccak256: Keccak256): Generator<void, Uint8Array, undefined> {
  const parents = Math.max(0, payees.length - 1);
  const nodes = new Uint8Array(HASH_BYTES * (parents + payees.length));
  const leaves = nodes.subarray(HASH_BYTES * parents);
  const encoded = new Uint8Array(ABI_BYTES);
  for (let index = 0; index < payees.length; index++) {
    payees.writeAbi(index, encoded);
    leaves.set(leafHash(encoded, keccak256), HASH_BYTES * index);
    if (index % STEP_HASHES === 0) yield;
  }
  // Ascending from the end of the array backwards is descending from here on.
  sortHashesDescending(leaves);
  for (let end = parents; end > 0; end -= STEP_HASHES) {
    yield;
    hashParents(nodes, Math.max(0, end - STEP_HASHES), end, keccak256);
  }
  return nodes;
}

function atOnce(steps: Generator<void, Uint8Array, undefined>): Uint8Array {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** `new ClaimsTree`, pausing between its steps: a tree of a million payees takes seconds. */
export async function claimsTreeInSteps(
  payees: PayeeTable,
  keccak256: Keccak256,
  pause: () => Promise<void>,
): Promise<ClaimsTree> {
  const steps = nodesOf(payees, keccak256);
  let step = steps.next();
  while (step.done !== true) {
    await pause();
    step = steps.next();
  }
  return new ClaimsTree(payees, keccak256, step.value);
}

function leafHash(encoded: Uint8Array, keccak256: Keccak256): Uint8Array {
  return keccak256(keccak256(encoded));
}

/** Hashes the parents in [from, to), the last one first: a parent comes before its children. */
function hashParents(nodes: Uint8Array, from: number, to: number, keccak256: Keccak256): void {
  const swapped = new Uint8Array(2 * HASH_BYTES);
  for (let parent = to - 1; parent >= from; parent--) {
    const left = 2 * parent + 1;
    // The children are neighbours, so in order they are hashed where they lie.
    let pair = nodes.subarray(HASH_BYTES * left, HASH_BYTES * (left + 2));
    if (compareHashes(nodes, left, nodes, left + 1) > 0) {
      swapped.set(pair.subarray(HASH_BYTES));
      swapped.set(pair.subarray(0, HASH_BYTES), HASH_BYTES);
      pair = swapped;
    }
    nodes.set(keccak256(pair), HASH_BYTES * parent);
  }
}

/**
 * Whether a proof shows that `payee` may have claimed `amount` base units in all under `root`.
 * @throws ProofError `payee-not-valid`, `amount-not-valid` for a claim that no tree could hold, `proof-not-valid` for a
 *   sibling that is no hash.
 */
export function verifyClaim(
  root: string,
  payee: string,
  amount: bigint | string,
  proof: readonly string[],
  keccak256: Keccak256,
): boolean {
  const leaf = leafHash(abiClaim(payee, amount), keccak256);
  return rootOfProof(leaf, proof, keccak256) === root.toLowerCase();
}

/**
 * The root that a proof leads to from a leaf of 32 bytes, parents being the hash of the lower and then the higher
 * child: true of this format and of others with their own leaves.
 * @throws ProofError `proof-not-valid` if a sibling is not 0x and 64 hex digits.
 */
export function rootOfProof(leaf: Uint8Array, proof: readonly string[], keccak256: Keccak256): string {
  let node = leaf;
  const sibling = new Uint8Array(HASH_BYTES);
  const pair = new Uint8Array(2 * HASH_BYTES);
  for (const [height, hex] of proof.entries()) {
    if (!writeHex(hex, sibling, 0, HASH_BYTES)) throw proofNotValid(hex, height);
    pair.set(node);
    pair.set(sibling, HASH_BYTES);
    if (compareHashes(pair, 0, pair, 1) > 0) {
      pair.set(sibling);
      pair.set(node, HASH_BYTES);
    }
    node = keccak256(pair);
  }
  return toHex(node, 0, HASH_BYTES);
}

function proofNotValid(hex: string, height: number): ProofError {
  return new ProofError('proof-not-valid', {
    what: `${JSON.stringify(hex).slice(0, 100)} is no hash.`,
    where: `step ${height + 1} of the proof`,
    todo: 'give each sibling as 0x and 64 hex digits, from the leaf to the root.',
  });
}

import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { buildClaimsTree } from '../../src/proofs/claims-tree';
import type { Servers } from './servers';
import { timed } from './settling';

export interface MerkleTimes {
  readonly ourLeaves: number;
  readonly ourSeconds: number;
  /** Memory of the table of payees and of the tree, by leaf. */
  readonly ourBytesPerLeaf: number;
  readonly theirLeaves: number;
  readonly theirSeconds: number;
  /** Root of the leaves that both built. */
  readonly sameRoot: boolean;
}

/** How long the published library may take for its tree. */
const THEIR_SECONDS = 30;
const PROBE_LEAVES = 2000;

/** Payees and nodes are arrays of bytes, and nothing else grows with them. */
const bytesOfArrays = (): number => process.memoryUsage().arrayBuffers;

/** Our tree of all claims, and that of @openzeppelin/merkle-tree of as many as it does in half a minute. */
export async function measureMerkle(servers: Servers): Promise<MerkleTimes> {
  const { rows } = await servers.owner.query<{ payee: string; cumulative: string }>(
    `select payee, cumulative::text from settle.claim
     where position = (select max(position) from settle.claim) and cumulative > 0 order by payee`,
  );
  const claims = rows.map(({ payee, cumulative }) => [payee, cumulative] as [string, string]);
  const { keccak256 } = await nodeHashes();
  const before = bytesOfArrays();
  const ours = await timed(async () => buildClaimsTree(claims, keccak256));
  const ourBytes = bytesOfArrays() - before;
  const probe = claims.slice(0, PROBE_LEAVES);
  const probed = await timed(async () => StandardMerkleTree.of(probe, ['address', 'uint256']));
  // A little less than the time allows, since the cost of a leaf grows with the tree.
  const most = Math.floor((0.8 * THEIR_SECONDS * probe.length) / probed.seconds);
  const some = claims.slice(0, most);
  const theirs = await timed(async () => StandardMerkleTree.of(some, ['address', 'uint256']));
  return {
    ourLeaves: claims.length,
    ourSeconds: ours.seconds,
    ourBytesPerLeaf: ourBytes / claims.length,
    theirLeaves: some.length,
    theirSeconds: theirs.seconds,
    sameRoot: buildClaimsTree(some, keccak256).root === theirs.result.root,
  };
}

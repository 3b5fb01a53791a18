import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { rootOfProof } from '../../src/proofs/claims-tree';
import type { Keccak256 } from '../../src/proofs/hashes';

/**
 * Trees that somebody else built and that real money was paid from: the proofs of three settled intervals of the
 * Rocket Pool network lead to the roots it published. Their leaf is another, keccak256(address, network, RPL, ETH);
 * parents are hashed as ours are. The data is beside the project, not in it.
 */
const FOLDER = join(__dirname, '../../../shared/data/settled-rewards/rocketpool-mainnet');
const INTERVALS = [
  { index: 0, providers: 1352 },
  { index: 20, providers: 2435 },
  { index: 40, providers: 1838 },
];

interface Settled {
  readonly merkleRoot: string;
  readonly nodeRewards: Readonly<Record<string, Reward>>;
}

interface Reward {
  readonly rewardNetwork: number;
  readonly collateralRpl: string;
  readonly oracleDaoRpl: string;
  readonly smoothingPoolEth: string;
  readonly merkleProof: readonly string[];
}

const present = existsSync(FOLDER);
if (!present) console.warn(`skipped: there are no settled rewards at ${FOLDER}`);

const word = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

function leafOf(address: string, reward: Reward, keccak256: Keccak256): Uint8Array {
  return keccak256(
    Buffer.concat([
      Buffer.from(address.slice(2), 'hex'),
      word(BigInt(reward.rewardNetwork)),
      word(BigInt(reward.collateralRpl) + BigInt(reward.oracleDaoRpl)),
      word(BigInt(reward.smoothingPoolEth)),
    ]),
  );
}

(present ? describe : describe.skip)('settled rewards', () => {
  test.each(INTERVALS)('every proof of interval $index leads to its root', async ({ index, providers }) => {
    const { keccak256 } = await nodeHashes();
    const file = gunzipSync(readFileSync(join(FOLDER, `rp-rewards-mainnet-${index}.json.gz`)));
    const settled = JSON.parse(file.toString('utf8')) as Settled;
    const rewards = Object.entries(settled.nodeRewards);
    expect(rewards).toHaveLength(providers);
    const astray = rewards.filter(([address, reward]) => {
      const leaf = leafOf(address, reward, keccak256);
      return rootOfProof(leaf, reward.merkleProof, keccak256) !== settled.merkleRoot;
    });
    expect(astray).toEqual([]);
    // And with one base unit more none of them would.
    const [address, reward] = rewards[0]!;
    const forged = { ...reward, smoothingPoolEth: String(BigInt(reward.smoothingPoolEth) + 1n) };
    expect(rootOfProof(leafOf(address, forged, keccak256), reward.merkleProof, keccak256)).not.toBe(settled.merkleRoot);
  });
});

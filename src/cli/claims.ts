import { readFile, rename, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { epochArgument } from './arguments';
import { AUDITOR } from './audit';
import { CommandEnds, UsageError } from './errors';
import { EXIT } from './exit-codes';
import { archiveOption, group, networkOption } from './groups';
import type { Io } from './io';
import { broughtFor, withDatabase } from './open';

interface ProofFile {
  readonly payee: string;
  readonly cumulative: string;
  readonly proof: readonly string[];
  readonly root: string;
}

/** `settle claims …`: the tree of what payees may have claimed in all, its proofs, and their check without a server. */
export function register(program: Command, io: Io): void {
  const claims = group(program, 'claims');
  claims
    .command('build')
    .description('write the standard-v1 dump of the claims after an epoch, for StandardMerkleTree.load')
    .argument('<epoch>', 'the epoch', epochArgument)
    .requiredOption('--out <file>', 'the file to write')
    .addOption(networkOption())
    .addOption(archiveOption())
    .action(async (epoch: number, { out, ...of }: ClaimsOptions & { out: string }) => {
      const { tree, content, entry } = await loaded(io, of, epoch);
      if (tree.payees === 0)
        io.say('Nobody may claim anything yet: the published library refuses to load an empty tree.');
      await writeFile(`${out}.part`, [...tree.dumpJson()].join(''));
      await rename(`${out}.part`, out);
      const value = {
        file: out,
        epoch,
        revision: entry.revision,
        payees: tree.payees,
        total: content.total,
        root: tree.root,
      };
      io.account({ value, human: () => `${out}: ${tree.payees} payees, root ${tree.root}` });
    });
  claims
    .command('proof')
    .description('what a payee may have claimed in all after an epoch, and the proof of it')
    .argument('<payee>', '0x-prefixed address', payeeArgument)
    .requiredOption('--epoch <epoch>', 'after which epoch', epochArgument)
    .addOption(networkOption())
    .addOption(archiveOption())
    .action(async (payee: string, { epoch, ...of }: ClaimsOptions & { epoch: number }) => {
      const { tree } = await loaded(io, of, epoch);
      const value: ProofFile = {
        payee,
        cumulative: tree.amount(payee).toString(),
        proof: tree.proof(payee),
        root: tree.root,
      };
      io.account({ value, human: () => JSON.stringify(value, null, 2) });
    });
  claims
    .command('verify')
    .description(
      'check a proof, or a whole dump, against a root, without database and server; exit 5 if it does not hold',
    )
    .argument('<file>', 'what `settle claims proof -o json` or `settle claims build` wrote')
    .option('--root <hex>', 'the root that you know from elsewhere (default: the one in the file)', rootArgument)
    .action((file: string, { root }: { root?: string }) => verifyFile(io, file, root ?? null));
}

interface ClaimsOptions {
  readonly network: string;
  readonly archive?: readonly string[];
}

async function loaded(io: Io, { network, archive }: ClaimsOptions, epoch: number) {
  const { publishedClaims } = await import('../commands/claims.js');
  const { nodeHashes } = await import('../hashing/node-hashes.js');
  const hashes = await nodeHashes();
  const brought = broughtFor(archive, { network, first: epoch, last: epoch, allPayouts: true });
  return withDatabase(io, (session) => publishedClaims(session, network, epoch, hashes), { ...AUDITOR, ...brought });
}

async function verifyFile(io: Io, file: string, wanted: string | null): Promise<void> {
  const { buildClaimsTree, verifyClaim } = await import('../proofs/claims-tree.js');
  const { nodeHashes } = await import('../hashing/node-hashes.js');
  const { keccak256 } = await nodeHashes();
  const parsed = parsedFile(file, await readFile(file, 'utf8'));
  let holds: boolean;
  let root: string;
  if ('proof' in parsed) {
    root = wanted ?? parsed.root;
    holds = verifyClaim(root, parsed.payee, parsed.cumulative, parsed.proof, keccak256);
  } else {
    const tree = buildClaimsTree(
      parsed.values.map(({ value }) => value),
      keccak256,
    );
    root = wanted ?? parsed.tree[0] ?? tree.root;
    holds = tree.root === root && JSON.stringify(tree.dump()) === JSON.stringify(parsed);
  }
  const anchored = wanted !== null;
  const words = anchored
    ? 'the root that you gave'
    : "the file's own root, which anybody can write: give yours with --root";
  io.account({
    value: { holds, root, anchored },
    human: () => `${holds ? 'holds' : 'does not hold'} under ${root} (${words})`,
  });
  if (!holds) throw new CommandEnds(EXIT.mismatch);
}

interface DumpFile {
  readonly tree: readonly string[];
  readonly values: readonly { readonly value: readonly [string, string]; readonly treeIndex: number }[];
}

function parsedFile(file: string, text: string): ProofFile | DumpFile {
  try {
    const value = JSON.parse(text) as Partial<ProofFile & DumpFile>;
    if (Array.isArray(value.proof) || (Array.isArray(value.tree) && Array.isArray(value.values)))
      return value as ProofFile;
  } catch {
    // Told below, as for JSON of another kind.
  }
  throw new UsageError(`${file} is neither a proof nor a standard-v1 dump.`);
}

function payeeArgument(text: string): string {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError('a payee is 0x and 40 hex digits.');
}

function rootArgument(text: string): string {
  if (/^0x[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('a root is 0x and 64 lower-case hex digits.');
}

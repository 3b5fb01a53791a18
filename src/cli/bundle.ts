import { constants } from 'node:fs';
import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import type { Verification } from '../audit/verify';
import { epochArgument } from './arguments';
import { AUDITOR, outcomesSheet, outcomesText } from './audit';
import { CommandEnds } from './errors';
import { EXIT } from './exit-codes';
import { archiveOption, networkOption } from './groups';
import type { Io } from './io';
import { broughtFor, withDatabase } from './open';
import type { Sheet } from './output';

/** `settle bundle EPOCH` makes one file of all that an epoch rests on; `settle verify FILE` checks it without a server. */
export function register(program: Command, io: Io): void {
  program
    .command('bundle')
    .description('write everything that a published epoch rests on to one file, for `settle verify`')
    .argument('<epoch>', 'the epoch', epochArgument)
    .requiredOption('--out <file>', 'the file to write, like epoch-42.json.gz')
    .option('--force', 'replace a file that is there')
    .addOption(archiveOption())
    .addOption(networkOption())
    .action(async (epoch: number, options: BundleOptions) => {
      if (options.force !== true && (await exists(options.out))) {
        io.say(`${options.out} is there already: choose another name, or replace it with --force.`);
        throw new CommandEnds(EXIT.already);
      }
      const { auditBundle } = await import('../commands/audit-bundle.js');
      await withDatabase(
        io,
        async (session) => {
          const bytes = await auditBundle(session, options.network, epoch);
          await writeWhole(options.out, bytes);
          const written = { file: options.out, network: options.network, epoch, bytes: bytes.length };
          io.account({ value: written, human: () => `${options.out}: epoch ${epoch}, ${bytes.length} bytes` });
        },
        {
          ...AUDITOR,
          ...broughtFor(options.archive, { network: options.network, first: epoch, last: epoch, allPayouts: true }),
        },
      );
    });
  program
    .command('verify')
    .description('check an audit bundle on its own, without database and server; exit 5 on a difference')
    .argument('<file>', 'what `settle bundle` wrote')
    .option('--head <hex>', 'a head that you know from elsewhere: anchors the bundle', headArgument)
    .action(async (file: string, options: { head?: string }) => {
      const { verifyBundleBytes } = await import('../commands/audit-bundle.js');
      const { nodeHashes } = await import('../hashing/node-hashes.js');
      const verification = await verifyBundleBytes(await readFile(file), await nodeHashes(), options.head ?? null);
      tell(io, verification);
      if (!verification.holds) throw new CommandEnds(EXIT.mismatch);
    });
}

interface BundleOptions {
  readonly out: string;
  readonly force?: boolean;
  readonly network: string;
  readonly archive?: readonly string[];
}

function tell(io: Io, verification: Verification): void {
  io.account({
    value: verification,
    human: (colors) =>
      [
        outcomesText(verification.outcomes, colors),
        '',
        `epoch ${verification.epoch} of ${verification.network}, head ${verification.head}`,
        colors.bold(verification.verdict),
      ].join('\n'),
    sheet: outcomesSheet(verification.outcomes) as unknown as Sheet<never>,
  });
}

function headArgument(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('a head is 64 lower-case hex digits, as in heads.log.');
}

async function exists(file: string): Promise<boolean> {
  return access(file, constants.F_OK).then(
    () => true,
    () => false,
  );
}

/** Whole or not at all: a bundle cut short by a full disk would be taken for a forged one. */
async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const draft = `${file}.part`;
  await writeFile(draft, bytes);
  await rename(draft, file);
}

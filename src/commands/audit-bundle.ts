import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { BundleUnreadable, packBundle } from '../audit/bundle';
import { DossierLoader } from '../audit/load-dossier';
import { type Verification, verifyBundle } from '../audit/verify';
import type { Hashes } from '../proofs/hashes';
import { requireRows } from '../store/archives';
import { unchangingView } from '../store/pool';
import type { CommandContext } from './context';
import { CommandError } from './errors';

const zip = promisify(gzip);
const unzip = promisify(gunzip);

/**
 * A bundle unpacks to about ten times its size. A file that unpacks to a hundred times as much, but a few megabytes, or
 * to more than a text can hold is meant to fill the memory of whoever opens it.
 */
const MOST_UNPACKED = { times: 100, atLeastBytes: 2 ** 24, atMostBytes: 2 ** 29 - 2 ** 10 };

/**
 * The audit bundle of a published epoch, all its revisions: one gzip'd JSON document.
 * @throws CommandError `NothingPublished`; StoreError `EpochArchived`
 */
export async function auditBundle(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  epoch: number,
): Promise<Uint8Array> {
  const bundle = await unchangingView(context.pool, async (client) => {
    const loader = await DossierLoader.open(client, network);
    const publications = loader.publications(epoch, epoch);
    if (publications.length === 0) {
      throw new CommandError(
        'NothingPublished',
        `epoch ${epoch} of ${network} is not published: there is nothing to bundle`,
      );
    }
    await requireRows(client, epoch, epoch);
    const dossiers = [];
    for (const publication of publications) dossiers.push(await loader.load(publication));
    return packBundle(dossiers);
  });
  return zip(JSON.stringify(bundle), { level: 9 });
}

/** Verifies the bytes of an audit bundle; see {@link verifyBundle}. @throws BundleUnreadable */
export async function verifyBundleBytes(bytes: Uint8Array, hashes: Hashes, head: string | null): Promise<Verification> {
  return verifyBundle(await parsed(bytes), hashes, head);
}

async function parsed(bytes: Uint8Array): Promise<unknown> {
  const { times, atLeastBytes, atMostBytes } = MOST_UNPACKED;
  const maxOutputLength = Math.min(atMostBytes, Math.max(atLeastBytes, times * bytes.length));
  try {
    return JSON.parse((await unzip(bytes, { maxOutputLength })).toString('utf8'));
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new BundleUnreadable(
        `${bytes.length} bytes unpack to more than ${maxOutputLength}: this is no audit bundle`,
      );
    }
    throw new BundleUnreadable(`this is no audit bundle: ${(error as Error).message}`);
  }
}

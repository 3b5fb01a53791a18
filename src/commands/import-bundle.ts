import type { PoolClient } from 'pg';
import { type Bundle, openBundle } from '../inputs/bundle';
import { checkBundle } from '../inputs/read-table';
import { BundleError, rowsRefused } from '../inputs/refusals';
import { type EpochSpan, type LoadOptions, type LoadReport, RowsRefused } from '../store/load-source';
import { loadBundle } from '../store/loads';
import type { Network } from '../store/networks';
import { actAs } from '../store/rights';
import { bundleRows } from './bundle-rows';
import type { CommandContext } from './context';
import { createNetworkWithin, type PolicyRead } from './create-network';
import { CommandError } from './errors';
import { refusedOnRecord } from './refusals';
import type { EpochRange } from './run-epochs';

export interface ImportOptions extends Omit<LoadOptions, 'actor' | 'prepare'> {
  /** Creates the network with its first bundle, or finds it as it was created so; absent: it has to be there. */
  readonly create?: FirstBundle;
}

export interface FirstBundle {
  readonly policy: PolicyRead;
  /** The network's calendar; null: the epochs that the bundle's tables name, lowest to highest (spec §3). */
  readonly epochs: EpochRange | null;
  readonly holds: Network['holds'];
}

export interface ImportReport extends LoadReport {
  /** CSV files of the folder that are no part of a bundle. */
  readonly ignored: readonly string[];
  readonly network: 'created' | 'found';
}

/**
 * Loads an input bundle into a network, whole or not at all (spec §3). The bundle is read once, or once more if its
 * rows cannot go straight to their tables.
 * @throws BundleError with file, line and reason of every refused row; nothing was loaded or created then, and the
 *   refusal is on record, but of a dry run
 */
export async function importBundle(
  context: CommandContext,
  folder: string,
  options: ImportOptions,
): Promise<ImportReport> {
  const attempt = { network: options.network, action: 'import', subject: folder };
  const attempted = async () => load(context, await openBundle(folder), options);
  // Who only looks keeps nothing, not even that.
  return options.dryRun ? attempted() : refusedOnRecord(context, attempt, attempted);
}

async function load(context: CommandContext, bundle: Bundle, options: ImportOptions): Promise<ImportReport> {
  const { create, ...plain } = options;
  let network: ImportReport['network'] = 'found';
  const prepare = async (client: PoolClient, span: EpochSpan) => {
    if (create === undefined) return;
    network = await createWith(client, context.actor, options.network, create, span);
    await actAs(client, 'settle_operator');
  };
  try {
    const report = await loadBundle(context.pool, bundleRows(bundle), {
      ...plain,
      actor: context.actor,
      ...(create === undefined ? {} : { prepare }),
    });
    return { ...report, ignored: bundle.ignored, network };
  } catch (error) {
    if (error instanceof RowsRefused) throw refusedAcrossRows(bundle, error);
    // A file that is wrong on its own ends the load at its first bad batch; this pass shows what is wrong in all seven.
    if (error instanceof BundleError) await checkBundle(bundle);
    throw error;
  }
}

async function createWith(
  client: PoolClient,
  actor: string,
  network: string,
  { policy, epochs, holds }: FirstBundle,
  span: EpochSpan,
): Promise<'created' | 'found'> {
  const first = epochs?.first ?? span.first;
  const last = epochs?.last ?? span.last;
  if (first === null || last === null) {
    throw new CommandError(
      'BundleEmpty',
      'the bundle names no epoch: its tables have no rows. Add rows, or say which epochs are meant with --epochs A..B',
    );
  }
  return createNetworkWithin(client, actor, { network, firstEpoch: first, lastEpoch: last, holds }, policy);
}

function refusedAcrossRows(bundle: Bundle, { problems }: RowsRefused): Error {
  const refused = problems.map((problem) => ({
    ...problem,
    column: null,
    value: null,
    todo: 'correct or remove the row',
  }));
  return rowsRefused(bundle.folder, refused, refused.length);
}

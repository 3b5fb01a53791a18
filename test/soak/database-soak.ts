import type { Activities } from '../../activities';
import { CommandError } from '../../src/commands/errors';
import { previewBatch } from '../../src/commands/payments';
import { recordDisputeDecision } from '../../src/commands/run-dispute';
import type { Amount } from '../../src/numbers/units';
import { StoreError } from '../../src/store/errors';
import { spanOf } from '../differential/compare';
import { approved, computed, opened, published, rows, withdrawn } from '../disputes/disputing';
import { generateBundle } from '../generate/bundle';
import { type Random, seededRandom } from '../generate/random';
import type { TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { makeNetworkOf, networkName } from '../harness/networks';
import { acting, confirmed, confirmedLate, decided, givenUp, made, OPERATOR } from '../ledger/paying';
import { Books } from './books';

/** What a soak through the database has done; every balance was right whenever it looked. */
export interface SoakFigures {
  networks: number;
  epochs: number;
  published: number;
  failed: number;
  /** Disputes by what became of them. */
  revisions: number;
  disputesRejected: number;
  disputesLeftOpen: number;
  disputesRefused: number;
  batches: number;
  batchesRejected: number;
  batchesRefused: number;
  confirmations: number;
  linesFailed: number;
  /** Confirmations of lines that had been given up. */
  confirmationsLate: number;
  /** Balances compared in every digit, over all looks. */
  balancesCompared: number;
}

const NOTHING: SoakFigures = {
  networks: 0,
  epochs: 0,
  published: 0,
  failed: 0,
  revisions: 0,
  disputesRejected: 0,
  disputesLeftOpen: 0,
  disputesRefused: 0,
  batches: 0,
  batchesRejected: 0,
  batchesRefused: 0,
  confirmations: 0,
  linesFailed: 0,
  confirmationsLate: 0,
  balancesCompared: 0,
};

/** One network under soak, with the books kept apart from it. */
interface Soaked {
  readonly database: TestDatabase;
  readonly activities: Activities;
  readonly network: string;
  readonly random: Random;
  readonly figures: SoakFigures;
  readonly books: Books;
  readonly published: number[];
  /** Lines that were given up, with what was unconfirmed of them. */
  readonly givenUp: { readonly batch: number; readonly provider: string; rest: bigint }[];
}

/**
 * Settles at least so many random epochs, network after network, through the real database by the activities
 * themselves, with random disputes and payments between them; compares all balances after every few epochs.
 */
export async function soakDatabase(
  database: TestDatabase,
  wanted: number,
  seed: number,
  progress: (figures: SoakFigures) => void = () => undefined,
): Promise<SoakFigures> {
  const figures = { ...NOTHING };
  for (let next = seed; figures.epochs < wanted; next += 1) {
    await soakNetwork(database, next, wanted - figures.epochs, figures).catch((error: Error) => {
      throw new Error(`seed ${next}: ${error.message}`, { cause: error });
    });
    progress(figures);
  }
  return figures;
}

async function soakNetwork(database: TestDatabase, seed: number, most: number, figures: SoakFigures): Promise<void> {
  const bundle = generateBundle(seed, { epochs: Math.min(most, 12 + (seed % 20)) });
  const network = networkName();
  const calendar = { ...spanOf(bundle), holds: 'release' as const };
  await makeNetworkOf(acting(database, OPERATOR), bundle.files, bundle.policyYaml, calendar, network);
  // In chunks of few providers, so that both roads of the reward step are taken.
  const activities = await activitiesOn(database.worker, { chunkProviders: seed % 2 === 1 ? 3 : 20_000 });
  const random = seededRandom(seed);
  const soaked = { database, activities, network, random, figures, books: new Books(), published: [], givenUp: [] };
  figures.networks += 1;
  for (;;) {
    const due = await activities.nextDue({ network, upTo: null, stopWhenSilent: false });
    if (due.kind !== 'due') break;
    await settleOne(soaked, due.epoch);
    if (random.oneIn(3)) await disputeOne(soaked);
    if (random.oneIn(3)) await payAll(soaked);
    if (random.oneIn(3)) await confirmLate(soaked);
    if (random.oneIn(6)) await look(soaked);
  }
  await look(soaked);
}

async function look({ database, network, books, figures }: Soaked): Promise<void> {
  figures.balancesCompared += await books.compare(database, network);
}

async function settleOne({ activities, network, figures, published }: Soaked, epoch: number): Promise<void> {
  const closed = await settleEpochInProcess(activities, { network, epoch });
  figures.epochs += 1;
  if (closed.kind === 'published') {
    figures.published += 1;
    published.push(epoch);
  } else figures.failed += 1;
}

interface CapacityRow {
  readonly provider: string;
  readonly market: string;
  readonly offered: string;
}

/** Disputes a random published epoch: other hours of one machine, or the machine taken away. */
async function disputeOne(soaked: Soaked): Promise<void> {
  const { database, activities, network, random, figures } = soaked;
  if (soaked.published.length === 0) return;
  const epoch = random.pick(soaked.published);
  const { rows: capacity } = await database.superuser.query<CapacityRow>(
    `select provider, market, offered::text from settle.capacity where network = $1 and epoch = $2
     order by provider, market`,
    [network, epoch],
  );
  const { provider, market, offered } = random.pick(capacity);
  const files = random.oneIn(4)
    ? withdrawn('capacity', `${epoch},${provider},${market}`)
    : rows('capacity', `${epoch},${provider},${market},${offered},${random.oneIn(3) ? '0' : offered}`);
  const derive = random.oneIn(4) ? 'full' : 'pinned';
  try {
    const { key } = await opened(database, network, epoch, files, { derive });
    if (random.oneIn(6)) {
      figures.disputesLeftOpen += 1;
      return;
    }
    const made = await computed(activities, key);
    if (random.oneIn(5)) {
      const decision = { ...key, outcome: 'rejected' as const, reason: 'the rows were right', contentDigest: null };
      await recordDisputeDecision(acting(database, 'anton'), decision);
      figures.disputesRejected += 1;
      return;
    }
    await approved(database, key);
    const answer = await published(activities, key, made);
    if (answer.kind === 'published') figures.revisions += 1;
    else figures.disputesRefused += 1;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    figures.disputesRefused += 1;
  }
}

/** Refused by a rule, which a random act may be: nothing was done. */
const isRefusal = (error: unknown): boolean =>
  error instanceof StoreError ||
  error instanceof CommandError ||
  (error instanceof Error && (error.name === 'BundleError' || /^guard [a-z-]+ does not hold/.test(error.message)));

/** Makes a batch, and has a wallet do with it what wallets do. */
async function payAll(soaked: Soaked): Promise<void> {
  const { database, network, random, figures, books } = soaked;
  const minimum = random.oneIn(3) ? 10n ** BigInt(random.integer(1, 20)) : 1n;
  let batch: number;
  try {
    const { lines } = await previewBatch({ pool: database.viewer }, network, minimum as Amount);
    ({ batch } = await made(database, network, { minimum }));
    books.opened(batch, lines);
    figures.batches += 1;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    figures.batchesRefused += 1;
    return;
  }
  if (random.oneIn(8)) return; // stays open, and what it holds on its way
  if (random.oneIn(5)) {
    await decided(database, network, batch, 'rejected');
    books.rejected(batch);
    figures.batchesRejected += 1;
    return;
  }
  await decided(database, network, batch);
  await walletPays(soaked, batch);
}

async function walletPays(soaked: Soaked, batch: number): Promise<void> {
  const { database, network, random, figures, books, givenUp: lost } = soaked;
  const { rows: lines } = await database.superuser.query<{ provider: string; amount: string }>(
    'select provider, amount::text from settle.payment_line where network = $1 and batch = $2 order by provider',
    [network, batch],
  );
  for (const { provider, amount } of lines) {
    let rest = BigInt(amount);
    const parts = random.integer(0, 3);
    for (let part = 1; part <= parts && rest > 0n; part += 1) {
      const paid = part === parts && !random.oneIn(3) ? rest : rest / 2n + 1n;
      const row = [provider, `tx-${batch}-${part}`, paid] as const;
      // A wallet that reports twice is an everyday thing.
      await confirmed(database, network, batch, row, row);
      books.confirmed(batch, provider, paid);
      figures.confirmations += 1;
      rest -= paid;
    }
    if (rest > 0n && random.oneIn(3)) {
      await givenUp(database, network, batch, provider);
      books.failed(batch, provider);
      lost.push({ batch, provider, rest });
      figures.linesFailed += 1;
    }
  }
}

/** A line that was given up turns out to have been paid, in whole or in part, whatever later batches did meanwhile. */
async function confirmLate({ database, network, random, figures, books, givenUp: lost }: Soaked): Promise<void> {
  const open = lost.filter(({ rest }) => rest > 0n);
  if (open.length === 0) return;
  const line = random.pick(open);
  const paid = random.oneIn(2) ? line.rest : line.rest / 2n + 1n;
  const row = [line.provider, `late-${line.batch}-${line.rest}`, paid] as const;
  await confirmedLate(database, network, line.batch, row, row);
  line.rest -= paid;
  books.confirmedLate(line.provider, paid);
  figures.confirmationsLate += 1;
}

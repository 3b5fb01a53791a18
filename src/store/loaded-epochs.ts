import type { Pool, PoolClient } from 'pg';
import { StoreError } from './errors';
import type { EpochSpan } from './load-source';
import type { Network } from './networks';
import { transactionAs } from './rights';
import type { InputTable } from './staging';

/** Epochs of one partition (migration 0005), which are asked about together. */
const WINDOW = 256;

/** Each of a bundle's epochs is settled, from the lowest to the highest (spec §3): eleven years of hours, once. */
export const MOST_EPOCHS = 100_000;

/** @throws StoreError `BundleTooLarge` where a bundle's epochs are more than a bundle may have */
export function requireFewEpochs({ first, last }: EpochSpan): void {
  if (first === null || last === null || last - first < MOST_EPOCHS) return;
  throw new StoreError(
    'BundleTooLarge',
    `the bundle's rows are of the epochs ${first} to ${last}, and a bundle has room for ${MOST_EPOCHS}: look for an epoch that is mistyped, or split the bundle by epochs`,
  );
}

/** Makes the partitions of these epochs where they are missing, and keeps them whatever becomes of the load. */
export async function ensurePartitions(pool: Pool, epochs: readonly number[]): Promise<void> {
  if (epochs.length === 0) return;
  // In a transaction of its own: whoever else wants a partition waits for the one that makes one, and a load is long.
  await transactionAs(pool, 'settle_operator', (client) =>
    client.query('select settle.ensure_partitions($1::integer[])', [epochs]),
  );
}

/** What a load knows of the epochs that it met so far. */
export class LoadedEpochs {
  private readonly met = new Set<number>();
  private readonly sealed = new Map<number, ReadonlySet<number>>();
  private readonly partitioned = new Set<number>();
  private first: number | null = null;
  private last: number | null = null;

  constructor(
    private readonly pool: Pool,
    private readonly client: PoolClient,
    private readonly network: string,
    /** null: the network is not there yet. */
    private calendar: Network | null,
    /** Called for an epoch that only staged rows may be of: one that is sealed, or outside the calendar. */
    private readonly refuse: () => never,
  ) {}

  get span(): EpochSpan {
    return { first: this.first, last: this.last };
  }

  get all(): readonly number[] {
    return [...this.met];
  }

  /** Learns what has to be known of epochs before rows of theirs can be written. */
  async learn(table: InputTable, epochs: readonly number[]): Promise<void> {
    this.note(epochs);
    const windows = [...new Set(epochs.map(windowOf))];
    for (const window of windows.filter((start) => !this.sealed.has(start))) {
      this.sealed.set(window, new Set(await this.sealedFrom(window)));
    }
    if (!table.partitioned) return;
    const missing = windows.filter((start) => !this.partitioned.has(start));
    await ensurePartitions(this.pool, missing);
    for (const window of missing) this.partitioned.add(window);
  }

  /** Whether enough is known of these epochs to write rows of theirs. */
  admits(table: InputTable, epochs: readonly number[]): boolean {
    for (const epoch of epochs) {
      const window = windowOf(epoch);
      const sealed = this.sealed.get(window);
      if (sealed === undefined || (table.partitioned && !this.partitioned.has(window))) return false;
      if (sealed.has(epoch)) this.refuse();
    }
    this.note(epochs);
    return true;
  }

  /** The calendar of a network that was not there before the bundle had been read. */
  requireWithin(network: Network): void {
    this.calendar = network;
    this.note(this.all);
  }

  /** To be asked under the inputs' lock: whether one of them was sealed since it was met. */
  async requireOpen(): Promise<void> {
    const sealed = await this.client.query(
      'select from seal where network = $1 and epoch = any($2::integer[]) limit 1',
      [this.network, this.all],
    );
    if (sealed.rowCount !== 0) this.refuse();
  }

  private note(epochs: readonly number[]): void {
    for (const epoch of epochs) {
      const { calendar } = this;
      if (calendar !== null && (epoch < calendar.firstEpoch || epoch > (calendar.lastEpoch ?? epoch))) this.refuse();
      if (this.first === null || epoch < this.first) this.first = epoch;
      if (this.last === null || epoch > this.last) this.last = epoch;
      this.met.add(epoch);
    }
    requireFewEpochs(this.span);
  }

  private async sealedFrom(window: number): Promise<number[]> {
    const found = await this.client.query<{ epoch: number }>(
      'select epoch from seal where network = $1 and epoch between $2::bigint and $3::bigint',
      [this.network, window, window + WINDOW - 1],
    );
    return found.rows.map(({ epoch }) => epoch);
  }
}

function windowOf(epoch: number): number {
  return epoch - (epoch % WINDOW);
}

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { RowProblem } from './row-problems';
import type { SourceTable } from './staging';

/** Where the rows come from: the bundle reader, as far as the store needs to know it. */
export interface RowSource {
  /** What the rows are from, for the load's record. */
  readonly name: string;
  /** The table's rows from the beginning, each valid by itself, at the pace at which they are taken. */
  batches(table: SourceTable): AsyncIterable<RowBatch>;
  /** The file's name as the user knows it, for messages. */
  fileName(table: SourceTable): string;
}

/** A few thousand rows, canonical. */
export interface RowBatch {
  readonly count: number;
  /** The epochs that the rows name, each once; empty for the registry, which has none. */
  readonly epochs: readonly number[];
  /**
   * Lines for COPY in CSV form, ended by `\n`: the row's cells after those of `first`, or after the row's line number
   * in its file where `first` is null.
   */
  copyLines(first: readonly string[] | null): string;
}

export interface LoadOptions {
  readonly network: string;
  readonly actor: string;
  /** true: everything is checked and counted, nothing stays. */
  readonly dryRun: boolean;
  /** Rows of epochs outside the network's calendar: an error, or left out and counted. */
  readonly outsideCalendar: 'refuse' | 'skip';
  /**
   * Called in the load's transaction once the rows are read and before anything asks for the network: a network
   * whose calendar is that of its first bundle is created here, so that a refused bundle leaves no network behind.
   * Called again if the load is begun again, after what it did was rolled back.
   */
  readonly prepare?: (client: PoolClient, span: EpochSpan) => Promise<void>;
  /** Gives the load up until it is committed: its promise rejects with the signal's reason, and nothing is kept. */
  readonly signal?: AbortSignal;
}

/** The epochs that a bundle's rows name, lowest and highest; null: no row has an epoch. */
export interface EpochSpan {
  readonly first: number | null;
  readonly last: number | null;
}

export interface TableCounts {
  readonly read: number;
  /** New rows that will be settled. */
  readonly added: number;
  /** The same row again, in the bundle or in the database. */
  readonly repeated: number;
  /** Rows of epochs that are sealed: kept apart. */
  readonly late: number;
  /** Rows of epochs outside the network's calendar. */
  readonly outside: number;
}

export interface LoadReport {
  readonly dryRun: boolean;
  readonly counts: Readonly<Record<string, TableCounts>>;
  readonly firstEpoch: number | null;
  readonly lastEpoch: number | null;
}

/** The bundle's rows break a rule that spans rows; nothing was loaded. */
export class RowsRefused extends Error {
  constructor(readonly problems: readonly RowProblem[]) {
    super(`${problems.length} row${problems.length === 1 ? '' : 's'} refused`);
    this.name = 'RowsRefused';
  }
}

/**
 * Sends lines to a COPY at the pace at which the server takes them.
 * @returns the number of rows that it says it has stored.
 */
export async function copyInto(client: PoolClient, statement: string, lines: AsyncIterable<string>): Promise<number> {
  const copy = client.query(copyFrom(statement));
  // One batch ahead of the one that is being sent: reading and storing overlap, and no more is held in memory.
  await pipeline(Readable.from(lines, { objectMode: true, highWaterMark: 1 }), copy);
  return copy.rowCount;
}

import type { Pool } from 'pg';
import type { Hashes } from '../src/proofs/hashes';
import type { Queryable } from '../src/store/pool';

/** Where published heads are witnessed outside the database. */
export interface Witness {
  /** Records a head once: telling it the same again changes nothing. */
  publish(network: string, epoch: number, revision: number, head: string): Promise<void>;
  /**
   * Looks whether the database still has every head that was witnessed. Nothing is settled on one that has not.
   * @param db where it is looked: the transaction that is to write, if there is one, so that what it writes to is judged
   * @throws StoreError `DatabaseBehind`
   */
  compare(db: Queryable): Promise<void>;
}

/** Bytes of this process that a later step may want again and can make again. */
export interface Scratch {
  /** Keeps them under a name as long as there is room. */
  keep(name: string, bytes: Uint8Array): Promise<void>;
  /** What was kept under a name, to the byte, and forgets it; null: it has to be made again. */
  take(name: string): Promise<Uint8Array | null>;
}

/** What activities work with; built once by the worker. */
export interface ActivityDependencies {
  readonly pool: Pool;
  readonly hashes: Hashes;
  readonly witness: Witness;
  readonly scratch: Scratch;
  /** The bundled workflows that this worker runs; null: it runs none. */
  readonly workflowCode: string | null;
  /** Providers in one chunk of the reward step. */
  readonly chunkProviders: number;
  /** Named points between two effects, where tests make a process die. */
  readonly reached: (point: string) => Promise<void> | void;
}

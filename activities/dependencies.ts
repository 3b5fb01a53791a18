import type { Pool } from 'pg';
import type { Hashes } from '../src/proofs/hashes';

/** Where published heads are witnessed outside the database. */
export interface Witness {
  /** Records a head once: telling it the same again changes nothing. */
  publish(network: string, epoch: number, revision: number, head: string): Promise<void>;
}

/** What activities work with; built once by the worker. */
export interface ActivityDependencies {
  readonly pool: Pool;
  readonly hashes: Hashes;
  readonly witness: Witness;
  /** The bundled workflows that this worker runs; null: it runs none. */
  readonly workflowCode: string | null;
  /** Providers in one chunk of the reward step. */
  readonly chunkProviders: number;
  /** Named points between two effects, where tests make a process die. */
  readonly reached: (point: string) => Promise<void> | void;
}

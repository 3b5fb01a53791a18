import type { Pool } from 'pg';
import type { Witness } from '../../../activities/dependencies';
import { listNetworks } from '../../store/networks';
import { Deliveries } from './deliveries';
import { headsLog } from './heads-log';
import type { HeadWitness } from './telling';

export interface WitnessesOptions {
  readonly pool: Pool;
  /** Path of `heads.log`. */
  readonly headsLog: string;
  readonly outside: readonly HeadWitness[];
  readonly log: (line: string) => void;
}

export interface Witnesses extends Witness {
  close(): Promise<void>;
}

/**
 * Everybody who is told published heads. A publication waits for its line in `heads.log`, which is on this machine; the
 * witnesses outside are told beside the settlement and never hold it up. Both begin with what they lack of the past.
 */
export function openWitnesses({ pool, headsLog: path, outside, log }: WitnessesOptions): Witnesses {
  const file = headsLog(path, pool);
  const deliveries = new Deliveries({ pool, witnesses: outside, log });
  const started = begin().catch((error: Error) => log(`heads.log: ${error.name}: ${error.message}`));
  return {
    async publish(network, epoch, revision, head) {
      await file.publish(network, epoch, revision, head);
      deliveries.wake(network);
    },
    compare: (db) => file.compare(db),
    async close() {
      await started;
      await deliveries.close();
    },
  };

  /**
   * Reads the file whole once, before an epoch waits for it; and whoever looks at the log learns at the start what is
   * wrong. Nothing is added to a file that belongs to another database: that one would be refused for it.
   */
  async function begin(): Promise<void> {
    await file.compare(pool);
    for (const { network } of await listNetworks(pool)) await file.catchUp(network);
  }
}

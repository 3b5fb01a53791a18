import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess, walkToCheck } from '../harness/in-process';
import { makeNetwork, type NetworkKnobs } from '../harness/networks';

/** Every state that an epoch can be in, once. */
export const EPOCHS = { published: [0, 1, 3], failed: 2, held: 4, untouched: 5 } as const;

const KNOBS: NetworkKnobs = { epochs: 6, missing: { [EPOCHS.failed]: 'token' }, held: [EPOCHS.held], pool: '40' };

export interface SettledNetwork {
  readonly database: TestDatabase;
  readonly network: string;
  close(): Promise<void>;
}

/**
 * A network of three providers and two markets whose epochs 0, 1 and 3 are published, 2 failed, 4 is on hold (its token
 * doubled) and 5 was not looked at. The pool of 40 tokens binds.
 */
export async function settledNetwork(): Promise<SettledNetwork> {
  const database = await freshDatabase();
  const network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, KNOBS);
  const activities = await activitiesOn(database.worker);
  for (const epoch of [0, 1, 2, 3]) await settleEpochInProcess(activities, { network, epoch });
  await walkToCheck(activities, { network, epoch: EPOCHS.held });
  return { database, network, close: () => database.close() };
}

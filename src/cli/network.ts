import type { Command } from 'commander';
import { instantText } from '../rulesets/1/calendar';
import type { Network } from '../store/networks';
import { epochArgument, networkArgument } from './arguments';
import { UsageError } from './errors';
import { duration } from './figures';
import { group } from './groups';
import type { Io } from './io';
import { withDatabase } from './open';
import type { Column } from './output';

/** `settle network create|list`. */
export function register(program: Command, io: Io): void {
  const networks = group(program, 'network');
  networks
    .command('create')
    .description('create a network with its calendar and first policy')
    .argument('<name>', 'how it is called, for ever', networkArgument)
    .requiredOption('--policy <file>', 'the policy that is effective from the first epoch on')
    .requiredOption('--from <epoch>', 'the first epoch of the calendar', epochArgument)
    .option('--to <epoch>', 'the last one (default: the network has no end)', epochArgument)
    .action((name: string, options: CreateOptions) => create(io, name, options));
  networks
    .command('list')
    .description('all networks of this database')
    .action(async () => {
      const { listNetworks } = await import('../store/networks.js');
      await withDatabase(io, async ({ pool }) => {
        const empty = 'No network yet: `settle start` makes the sample one, `settle network create` any other.';
        io.sheet({ columns: COLUMNS, rows: await listNetworks(pool), empty });
      });
    });
}

interface CreateOptions {
  readonly policy: string;
  readonly from: number;
  readonly to?: number;
}

async function create(io: Io, network: string, { policy, from, to }: CreateOptions): Promise<void> {
  if (to !== undefined && to < from)
    throw new UsageError(`--to ${to} is before --from ${from}: write the lower epoch in --from.`);
  const { createNetwork } = await import('../commands/create-network.js');
  const { getNetwork } = await import('../store/networks.js');
  await withDatabase(io, async (session) => {
    const outcome = await createNetwork(session, {
      network,
      policyFile: policy,
      firstEpoch: from,
      lastEpoch: to ?? null,
      holds: 'wait',
    });
    io.sheet({ columns: COLUMNS, rows: [await getNetwork(session.pool, network)], empty: '' });
    io.say(
      outcome === 'created'
        ? `Created ${network}. Load its inputs with \`settle import DIR --network ${network}\`.`
        : `${network} is there already, just so; nothing was changed.`,
    );
  });
}

const firstStart = ({ genesisSeconds, firstEpoch, lengthSeconds }: Network): string =>
  instantText(genesisSeconds + firstEpoch * lengthSeconds);

const COLUMNS: readonly Column<Network>[] = [
  { key: 'network', title: 'Network', type: 'id', value: (row) => row.network },
  { key: 'first_epoch', title: 'First', type: 'count', value: (row) => row.firstEpoch },
  { key: 'last_epoch', title: 'Last', type: 'count', value: (row) => row.lastEpoch },
  { key: 'first_epoch_starts_at', title: 'Starts', type: 'id', value: firstStart },
  {
    key: 'length_seconds',
    title: 'Length',
    type: 'count',
    value: (row) => row.lengthSeconds,
    show: (row) => duration(row.lengthSeconds),
  },
  {
    key: 'grace_seconds',
    title: 'Grace at first',
    type: 'count',
    value: (row) => row.graceSeconds,
    show: (row) => duration(row.graceSeconds),
  },
  { key: 'holds', title: 'Holds', type: 'id', value: (row) => row.holds },
];

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { cpuOfServer } from './cpu';
import type { Servers } from './servers';
import { NETWORK, timed } from './settling';

/** What the database and the disk take by themselves for the same rows: what no settlement can do without. */
export interface Floor {
  /** Sealed rows out, in key order and canonical text, once. */
  readonly readSeconds: number;
  /** Payout rows into an equal table with its keys and checks. */
  readonly writeSeconds: number;
  /** Payee rows into an equal table with its key. */
  readonly claimsSeconds: number;
  /** The bundle's files into tables equal to those that keep them. */
  readonly importSeconds: number;
  /** Two reads, since amounts need the total first, and one write. */
  readonly settleSeconds: number;
  /** The same with the payee rows. */
  readonly claimedSeconds: number;
  /** CPU seconds of PostgreSQL for two reads and one write; null: unknown. */
  readonly settleCpuSeconds: number | null;
}

const EPOCH = 0;
const OF_EPOCH = `where network = '${NETWORK}' and epoch = ${EPOCH}`;
const SEALED = [
  `select provider, joined_epoch, status, payee from settle.provider_version where network = '${NETWORK}' order by provider`,
  `select epoch, provider, market, offered, served from settle.capacity ${OF_EPOCH} order by provider, market`,
  `select epoch, provider, uptime, response_ms, error_rate, rating from settle.performance ${OF_EPOCH} order by provider`,
];
const PAYOUT_COLUMNS =
  'network, epoch, revision, computation, provider, gross, cap_cut, scale_cut, amount, reason, multiplier';

const FILES: readonly (readonly [file: string, table: string, columns: string])[] = [
  ['providers', 'provider_version', 'provider, joined_epoch, status, payee'],
  ['capacity', 'capacity', 'epoch, provider, market, offered, served'],
  ['performance', 'performance', 'epoch, provider, uptime, response_ms, error_rate, rating'],
  ['demand', 'demand', 'epoch, market, requested'],
  ['quotes', 'quote', 'epoch, market, source, usd_per_unit'],
  ['token', 'token_observation', 'epoch, source, observed_at, price_usd, volume_usd'],
  ['macro', 'macro', 'epoch, index'],
];

export async function measureFloor(servers: Servers, folder: string): Promise<Floor> {
  const client = await servers.owner.connect();
  try {
    await client.query('create schema floor');
    // Warm for both: what was read just before is in memory.
    await readOut(client);
    const cpu = () => (servers.postgresPid === null ? null : cpuOfServer(servers.postgresPid));
    const beforeRead = cpu();
    const read = await timed(() => readOut(client));
    const readCpu = difference(cpu(), beforeRead);
    const payouts = await kept(client, `select ${PAYOUT_COLUMNS} from settle.payout ${OF_EPOCH} order by provider`);
    const claims = await kept(
      client,
      `select network, position, payee, entitlement, cumulative from settle.claim order by position, payee`,
    );
    const beforeWrite = cpu();
    const write = await timed(() => copyIn(client, 'payout', PAYOUT_COLUMNS, payouts));
    const writeCpu = difference(cpu(), beforeWrite);
    const claimed = await timed(() =>
      copyIn(client, 'claim', 'network, position, payee, entitlement, cumulative', claims),
    );
    const imported = await timed(() => importFiles(client, folder));
    const settleSeconds = 2 * read.seconds + write.seconds;
    return {
      readSeconds: read.seconds,
      writeSeconds: write.seconds,
      claimsSeconds: claimed.seconds,
      importSeconds: imported.seconds,
      settleSeconds,
      claimedSeconds: settleSeconds + claimed.seconds,
      settleCpuSeconds: readCpu === null || writeCpu === null ? null : 2 * readCpu + writeCpu,
    };
  } finally {
    await client.query('drop schema if exists floor cascade');
    client.release();
  }
}

const difference = (after: number | null, before: number | null): number | null =>
  after === null || before === null ? null : after - before;

async function readOut(client: PoolClient): Promise<void> {
  for (const statement of SEALED) {
    const stream = client.query(copyTo(`copy (${statement}) to stdout (format csv)`));
    stream.resume();
    await once(stream, 'end');
  }
}

async function kept(client: PoolClient, statement: string): Promise<Buffer[]> {
  const parts: Buffer[] = [];
  for await (const part of client.query(copyTo(`copy (${statement}) to stdout (format csv)`)))
    parts.push(part as Buffer);
  return parts;
}

async function copyIn(client: PoolClient, table: string, columns: string, parts: readonly Buffer[]): Promise<void> {
  await client.query(`create table floor.${table} (like settle.${table} including all)`);
  await client.query('begin');
  await pipeline(
    Readable.from(parts),
    client.query(copyFrom(`copy floor.${table} (${columns}) from stdin (format csv)`)),
  );
  await client.query('commit');
}

async function importFiles(client: PoolClient, folder: string): Promise<void> {
  for (const [, table] of FILES) {
    await client.query(`create table floor.in_${table} (like settle.${table} including all)`);
    await client.query(`alter table floor.in_${table} alter network set default '${NETWORK}'`);
  }
  await client.query('alter table floor.in_provider_version alter load_id set default 1');
  await client.query('begin');
  for (const [file, table, columns] of FILES) {
    await pipeline(
      createReadStream(join(folder, `${file}.csv`), { highWaterMark: 262_144 }),
      client.query(copyFrom(`copy floor.in_${table} (${columns}) from stdin (format csv, header)`)),
    );
  }
  await client.query('commit');
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createNetwork } from '../../src/commands/create-network';
import { importBundle } from '../../src/commands/import-bundle';
import { type PolicyKnobs, policyDocument } from './policy';

/** The CSV texts of a bundle by table (spec §3). */
export type BundleTexts = Record<
  'providers' | 'capacity' | 'performance' | 'demand' | 'quotes' | 'token' | 'macro',
  string
>;

export interface NetworkKnobs extends PolicyKnobs {
  /** Epochs 0 to epochs - 1; the calendar ends with them. Default 3. */
  readonly epochs?: number;
  /** Providers p0, p1, …; p0 and p1 share a payee, p2 has none, every other has its own. Default 3. */
  readonly providers?: number;
  /** Epochs whose token price is twice what it was: breaker `tokenMove` trips. */
  readonly held?: readonly number[];
  readonly holds?: 'wait' | 'release';
  /** Rows that are to be missing, by epoch. */
  readonly missing?: Readonly<Record<number, 'capacity' | 'token' | 'uptimes'>>;
}

export const PAYEES = [
  '0x00000000000000000000000000000000000000a1',
  '0x00000000000000000000000000000000000000A1',
  '',
] as const;

const payeeOf = (provider: number): string =>
  PAYEES[provider] ?? `0x${(0xb00 + provider).toString(16).padStart(40, '0')}`;

/** Names are unique, so that all tests can share one Temporal. */
export const networkName = (): string => `net-${randomBytes(5).toString('hex')}`;

/** A small deterministic bundle: round figures, the same for the same knobs. */
export function bundleTexts(knobs: NetworkKnobs = {}): BundleTexts {
  const providers = Array.from({ length: knobs.providers ?? 3 }, (_, index) => index);
  const epochs = Array.from({ length: knobs.epochs ?? 3 }, (_, index) => index);
  const lacks = (epoch: number, what: string) => knobs.missing?.[epoch] === what;
  const ofProviders = (rows: (epoch: number, provider: number) => string[]) =>
    epochs.flatMap((epoch) => providers.flatMap((provider) => rows(epoch, provider)));
  return {
    providers: csv(
      'provider,joined_epoch,status,payee',
      providers.map((p) => `p${p},0,active,${payeeOf(p)}`),
    ),
    capacity: csv(
      'epoch,provider,market,offered,served',
      ofProviders((e, p) =>
        lacks(e, 'capacity')
          ? []
          : [`${e},p${p},gpu,${10 + p},${4 + p + (e % 3)}`, `${e},p${p},disk,100.5,${40 + (p % 61)}`],
      ),
    ),
    performance: csv(
      'epoch,provider,uptime,response_ms,error_rate,rating',
      ofProviders((e, p) => [`${e},p${p},${lacks(e, 'uptimes') ? '' : `0.99${p % 10}`},${120 + p},0.001,4.5`]),
    ),
    demand: csv(
      'epoch,market,requested',
      epochs.flatMap((e) => [`${e},gpu,${20 + 2 * e}`, `${e},disk,125.25`]),
    ),
    quotes: csv(
      'epoch,market,source,usd_per_unit',
      epochs.flatMap((e) => ['a', 'b', 'c'].map((source, index) => `${e},gpu,${source},2.${index + 1}`)),
    ),
    token: csv(
      'epoch,source,observed_at,price_usd,volume_usd',
      epochs.flatMap((e) => (lacks(e, 'token') ? [] : tokenRows(knobs, e))),
    ),
    macro: csv(
      'epoch,index',
      epochs.map((e) => `${e},1.0${e % 10}`),
    ),
  };
}

const csv = (header: string, rows: readonly string[]): string => [header, ...rows].map((row) => `${row}\n`).join('');

function tokenRows(knobs: NetworkKnobs, epoch: number): string[] {
  const { epoch: calendar } = policyDocument(knobs);
  const length = Number(calendar.lengthSeconds);
  const end = Date.parse(calendar.genesis) / 1000 + (epoch + 1) * length;
  const observedAt = new Date((end - 1) * 1000).toISOString().replace('.000Z', 'Z');
  // Doubling is a change of 1; halving again is one of 0.5, which is on the limit and trips nothing.
  const price = knobs.held?.includes(epoch) ? 1 : 0.5;
  return ['x', 'y'].map((source) => `${epoch},${source},${observedAt},${price},1000`);
}

export interface TestContext {
  /** With the rights of the operator. */
  readonly pool: Pool;
  readonly actor: string;
}

/** Writes a bundle to a folder, lends it to `work`, and removes it. */
export async function withBundleFolder<T>(
  texts: Partial<Record<keyof BundleTexts, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-test-bundle-'));
  try {
    await Promise.all(Object.entries(texts).map(([table, text]) => writeFile(join(folder, `${table}.csv`), text)));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Creates a network of its own and loads its bundle; returns its name. */
export async function makeNetwork(
  context: TestContext,
  knobs: NetworkKnobs = {},
  network: string = networkName(),
): Promise<string> {
  const calendar = { first: 0, last: (knobs.epochs ?? 3) - 1, holds: knobs.holds ?? 'wait' };
  return makeNetworkOf(context, bundleTexts(knobs), JSON.stringify(policyDocument(knobs)), calendar, network);
}

export async function makeNetworkOf(
  context: TestContext,
  texts: BundleTexts,
  policyYaml: string,
  calendar: { readonly first: number; readonly last: number | null; readonly holds: 'wait' | 'release' },
  network: string = networkName(),
): Promise<string> {
  await withBundleFolder(texts, async (folder) => {
    const policyFile = join(folder, 'policy.yaml');
    await writeFile(policyFile, policyYaml);
    await createNetwork(context, {
      network,
      policyFile,
      firstEpoch: calendar.first,
      lastEpoch: calendar.last,
      holds: calendar.holds,
    });
    await importBundle(context, folder, { network, dryRun: false, outsideCalendar: 'refuse' });
  });
  return network;
}

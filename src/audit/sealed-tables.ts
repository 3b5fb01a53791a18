import { parseScaled } from '../numbers/amounts';
import type { SnapshotTable } from '../proofs/digests';

export interface SealedTable {
  /** Of the database. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly keyLength: number;
  /** The order of canonical lines (spec §9). */
  readonly compare: (a: string, b: string) => number;
}

const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** No cell of a key has more decimals than a price. */
const DECIMALS = 12;

function byKey(keyLength: number, numbers: readonly number[]): SealedTable['compare'] {
  return (a, b) => {
    const [own, other] = [a.split(','), b.split(',')];
    for (let index = 0; index < keyLength; index += 1) {
      const order = numbers.includes(index)
        ? Number(parseScaled(own[index]!, DECIMALS) - parseScaled(other[index]!, DECIMALS))
        : byBytes(own[index]!, other[index]!);
      if (order !== 0) return order;
    }
    return 0;
  };
}

const table = (name: string, columns: string, keyLength: number, numbers: readonly number[]): SealedTable => ({
  name,
  columns: columns.split(' '),
  keyLength,
  compare: byKey(keyLength, numbers),
});

/** The seven tables that are sealed, by their names in a snapshot (spec §3). */
export const SEALED_TABLES: Readonly<Record<SnapshotTable, SealedTable>> = {
  providers: table('provider_version', 'provider joined_epoch status payee', 1, []),
  capacity: table('capacity', 'epoch provider market offered served', 3, [0]),
  performance: table('performance', 'epoch provider uptime response_ms error_rate rating', 2, [0]),
  demand: table('demand', 'epoch market requested', 2, [0]),
  quotes: table('quote', 'epoch market source usd_per_unit', 4, [0, 3]),
  token: table('token_observation', 'epoch source observed_at price_usd volume_usd', 3, [0]),
  macro: table('macro', 'epoch index', 1, [0]),
};

import { createHash, type Hash } from 'node:crypto';
import type { ArchiveTable } from './tables';

/** Digests of one table's rows of one network and epoch. */
export interface EpochRows {
  readonly table: ArchiveTable;
  readonly network: string;
  readonly epoch: number;
  readonly rows: number;
  /** SHA-256 over the SHA-256s of pieces of 65,536 lines, as the database computes it (settle.partition_digests). */
  readonly digest: string;
  /**
   * SHA-256 of the canonical lines (spec §9): `sealed` for input tables, where the snapshot has it as the table's
   * digest; `REVISION/COMPUTATION` for payouts, where the content has it as payoutsDigest.
   */
  readonly published: Readonly<Record<string, string>>;
}

const PIECE_LINES = 65_536;
const SEALED = 'sealed';

/** Takes the lines of a table in their order, and gives the digests of each network and epoch. */
export class RowsDigest {
  private readonly groups: EpochRows[] = [];
  private group: Group | null = null;

  constructor(private readonly table: ArchiveTable) {}

  /** A line without its check and its end. */
  add(line: string): void {
    const afterNetwork = line.indexOf(',') + 1;
    const afterEpoch = line.indexOf(',', afterNetwork) + 1;
    const name = line.slice(0, afterEpoch);
    if (this.group?.name !== name) {
      this.end();
      this.group = new Group(name);
    }
    if (this.table === 'payout') {
      const cells = line.split(',');
      this.group.add(line, `${cells[2]}/${cells[3]}`, cells.slice(4, 10).join(','));
    } else {
      this.group.add(line, SEALED, line.slice(afterNetwork));
    }
  }

  finish(): readonly EpochRows[] {
    this.end();
    return this.groups;
  }

  private end(): void {
    if (this.group === null) return;
    const [network, epoch] = this.group.name.split(',') as [string, string];
    this.groups.push({ table: this.table, network, epoch: Number(epoch), ...this.group.finish() });
    this.group = null;
  }
}

class Group {
  private readonly whole = createHash('sha256');
  private piece = createHash('sha256');
  private readonly published = new Map<string, Hash>();
  private rows = 0;

  constructor(readonly name: string) {}

  add(line: string, part: string, canonical: string): void {
    this.piece.update(`${line}\n`, 'latin1');
    this.rows += 1;
    if (this.rows % PIECE_LINES === 0) this.endPiece();
    let hash = this.published.get(part);
    if (hash === undefined) {
      hash = createHash('sha256');
      this.published.set(part, hash);
    }
    hash.update(`${canonical}\n`, 'latin1');
  }

  finish(): Pick<EpochRows, 'rows' | 'digest' | 'published'> {
    if (this.rows % PIECE_LINES !== 0) this.endPiece();
    const published = [...this.published].map(([part, hash]): [string, string] => [part, hash.digest('hex')]);
    return { rows: this.rows, digest: this.whole.digest('hex'), published: Object.fromEntries(published) };
  }

  private endPiece(): void {
    this.whole.update(this.piece.digest());
    this.piece = createHash('sha256');
  }
}

/** The tables that leave with a range of epochs, each a file of its archive. */

/** Epochs of a range; a partition of the database holds as many. */
export const RANGE_EPOCHS = 256;

export const ARCHIVE_TABLES = ['capacity', 'performance', 'payout'] as const;
export type ArchiveTable = (typeof ARCHIVE_TABLES)[number];

/** Columns of a line; the check of the line follows them. */
export const ARCHIVE_COLUMNS: Readonly<Record<ArchiveTable, readonly string[]>> = {
  capacity: ['network', 'epoch', 'provider', 'market', 'offered', 'served'],
  performance: ['network', 'epoch', 'provider', 'uptime', 'response_ms', 'error_rate', 'rating'],
  payout: [
    'network',
    'epoch',
    'revision',
    'computation',
    'provider',
    'gross',
    'cap_cut',
    'scale_cut',
    'amount',
    'reason',
    'multiplier',
  ],
};

/** Leading columns that name a row. */
const KEY_COLUMNS: Readonly<Record<ArchiveTable, number>> = { capacity: 4, performance: 3, payout: 5 };

/** The last column: eight hex digits of the CRC-32 of the line before it, so that one changed line is found by itself. */
export const CHECK_COLUMN = 'crc32';

/** A row as messages name it. */
export function rowName(table: ArchiveTable, line: string): string {
  const cells = line.split(',', KEY_COLUMNS[table]);
  return cells.map((cell, index) => `${ARCHIVE_COLUMNS[table][index]} ${cell}`).join(', ');
}

/** Names the folder of a range's archive. */
export const archiveName = (first: number): string => `epochs-${first}-${first + RANGE_EPOCHS - 1}`;

/** The seven files of an input bundle, written so that the same rows always give the same bytes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';

const COLUMNS = {
  providers: ['provider', 'joined_epoch', 'status', 'payee'],
  capacity: ['epoch', 'provider', 'market', 'offered', 'served'],
  performance: ['epoch', 'provider', 'uptime', 'response_ms', 'error_rate', 'rating'],
  demand: ['epoch', 'market', 'requested'],
  quotes: ['epoch', 'market', 'source', 'usd_per_unit'],
  token: ['epoch', 'source', 'observed_at', 'price_usd', 'volume_usd'],
  macro: ['epoch', 'index'],
};
const GZIP_OS_BYTE = 9;
const GZIP_OS_UNKNOWN = 255;

/** CSV text per table, rows ordered by epoch and then as text, column by column. */
export function renderTables(tables) {
  return Object.entries(COLUMNS).map(([name, columns]) => {
    const rows = [...tables[name]].sort(compareRows);
    return { name, rows: rows.length, text: stringify([columns, ...rows]) };
  });
}

function compareRows(a, b) {
  for (const [column, value] of a.entries()) {
    const other = b[column];
    if (value === other) continue;
    return typeof value === 'number' ? value - other : value < other ? -1 : 1;
  }
  return 0;
}

/** The gzip header carries no time, and no operating system, so that only the text decides the bytes. */
function compress(text) {
  const bytes = gzipSync(text, { level: 9 });
  bytes[GZIP_OS_BYTE] = GZIP_OS_UNKNOWN;
  return bytes;
}

/** Writes one table; returns its compressed size in bytes. */
export function writeTable(folder, { name, text }) {
  const bytes = compress(text);
  writeFileSync(join(folder, `${name}.csv.gz`), bytes);
  return bytes.length;
}

/** Whether the stored table has this very text, whatever compressed it. */
export function isStored(folder, { name, text }) {
  return gunzipSync(readFileSync(join(folder, `${name}.csv.gz`))).toString('utf8') === text;
}

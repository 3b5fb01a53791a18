/** RFC 4180 text, read and written. Lines end with `\n` or CRLF when read (spec §3), with `\n` when written (§11). */

export interface CsvRecord {
  /** The line on which the record begins; the header is line 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Reads the records of a CSV text, the header among them. Throws an Error for a quote that is never closed. */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  let position = 0;
  let line = 1;
  while (position < text.length) {
    const cells: string[] = [];
    const begun = line;
    for (;;) {
      const cell = text[position] === '"' ? quotedCell(text, position) : plainCell(text, position);
      cells.push(cell.value);
      line += cell.value.split('\n').length - 1;
      position = cell.end;
      if (text[position] !== ',') break;
      position += 1;
    }
    if (text.startsWith('\r\n', position)) position += 2;
    else if (text[position] === '\n') position += 1;
    else if (position < text.length) throw new Error(`line ${begun}: text after a closing quote`);
    line += 1;
    records.push({ line: begun, cells });
  }
  return records;
}

function plainCell(text: string, start: number): { value: string; end: number } {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && !text.startsWith('\r\n', end)) end += 1;
  return { value: text.slice(start, end), end };
}

function quotedCell(text: string, start: number): { value: string; end: number } {
  let value = '';
  let position = start + 1;
  for (;;) {
    const quote = text.indexOf('"', position);
    if (quote < 0) throw new Error('a quoted cell is never closed');
    value += text.slice(position, quote);
    if (text[quote + 1] !== '"') return { value, end: quote + 1 };
    value += '"';
    position = quote + 2;
  }
}

/** Writes rows of cells under a header row, every line ended by `\n`. */
export function formatCsv(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, ...rows].map((cells) => `${cells.map(formatCell).join(',')}\n`).join('');
}

function formatCell(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

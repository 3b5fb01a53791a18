import { Refusal } from './refusals';

/**
 * RFC 4180 records out of a stream of bytes, in constant memory.
 *
 * Own code rather than csv-parse, for two reasons: a million rows of five columns took csv-parse 3.3 s and take this
 * less than a third of that, and a refused row must name the physical line it begins on and leave the rows around it
 * readable. The tests compare the two on generated files.
 *
 * Text is kept with one character a byte ('latin1'): every cell that can be valid is ASCII, so decoding UTF-8 is left
 * to the messages about those that are not.
 */

/** A record as it stands in the file: quotes taken off, nothing validated. */
export interface CsvRecord {
  /** Physical line on which the record begins, from 1. Line breaks inside quotes count. */
  readonly line: number;
  readonly cells: string[];
}

/** What the reader made of a piece of the file. */
export interface CsvPiece {
  readonly records: CsvRecord[];
  readonly faults: CsvFault[];
}

/** A stretch of the file that is no record. */
export interface CsvFault {
  readonly line: number;
  /** The text at fault, one character a byte. */
  readonly text: string;
  readonly refusal: Refusal;
}

/** Longest record in bytes. The longest that can be valid has a few hundred, so this bounds memory, not data. */
export const RECORD_BYTES = 65_536;

const QUOTE = 0x22;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

const BLANK = new Refusal('is a blank line', 'delete it');
const TOO_LONG = new Refusal(
  `is longer than ${RECORD_BYTES} bytes, so the rest of the file was not read`,
  'look for a quote that is left open, or for a file that is no CSV',
);
const QUOTE_INSIDE = new Refusal(
  'has a quote inside an unquoted cell',
  'put the cell in quotes and double those in it',
);
const AFTER_QUOTE = new Refusal('has text after the quote that closes a cell', 'double the quotes that belong to it');
const NOT_CLOSED = new Refusal('has a quote that is never closed', 'close it, or take it away');

const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/**
 * Reads records from chunks of bytes. Lines end with `\n` or CRLF; the last needs no end. A byte order mark at the
 * start is skipped: spreadsheets write one, and it is no data. Yields once per chunk, so that the consumer sets the
 * pace; stops after a record that is longer than `RECORD_BYTES`.
 */
export async function* csvRecords(chunks: AsyncIterable<Buffer>): AsyncGenerator<CsvPiece, void, undefined> {
  let rest = '';
  let line = 1;
  let first = true;
  for await (const chunk of chunks) {
    rest += chunk.toString('latin1');
    if (first && rest.length < BYTE_ORDER_MARK.length) continue;
    if (first && rest.startsWith(BYTE_ORDER_MARK)) rest = rest.slice(BYTE_ORDER_MARK.length);
    first = false;
    const scan = new Scan(rest, line, false);
    scan.run();
    yield scan;
    if (scan.stopped) return;
    rest = rest.slice(scan.position);
    line = scan.line;
  }
  const scan = new Scan(rest, line, true);
  scan.run();
  yield scan;
}

/** One pass over the text at hand. Stops before a record whose end is not in it, unless the text is the last. */
class Scan implements CsvPiece {
  readonly records: CsvRecord[] = [];
  readonly faults: CsvFault[] = [];
  /** Where the text was left. */
  position = 0;
  /** A record was too long: nothing after it can be trusted. */
  stopped = false;

  constructor(
    private readonly text: string,
    /** Physical line at `position`. */
    public line: number,
    private readonly last: boolean,
  ) {}

  run(): void {
    const { text } = this;
    let nextQuote = text.indexOf('"');
    while (this.position < text.length && !this.stopped) {
      const newline = text.indexOf('\n', this.position);
      if (newline < 0 && !this.last) break;
      const end = newline < 0 ? text.length : newline;
      if (nextQuote >= 0 && nextQuote < this.position) nextQuote = text.indexOf('"', this.position);
      if (nextQuote >= 0 && nextQuote < end) {
        if (!this.quotedRecord()) break;
      } else {
        this.plainRecord(end);
      }
    }
    if (!this.stopped && text.length - this.position > RECORD_BYTES) this.stop();
  }

  /** A record without quotes: it ends where its line ends. */
  private plainRecord(end: number): void {
    const { text, position } = this;
    const cellsEnd = end > position && text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
    if (cellsEnd - position > RECORD_BYTES) {
      this.stop();
      return;
    }
    if (cellsEnd === position) {
      this.faults.push({ line: this.line, text: '', refusal: BLANK });
    } else {
      this.records.push({ line: this.line, cells: text.slice(position, cellsEnd).split(',') });
    }
    this.position = end + 1;
    this.line++;
  }

  /** A record with quotes, which may hold line breaks. Returns false if its end is not in the text yet. */
  private quotedRecord(): boolean {
    const { text } = this;
    const cells: string[] = [];
    let at = this.position;
    for (;;) {
      const cell = text.charCodeAt(at) === QUOTE ? this.quotedCell(at) : this.unquotedCell(at);
      if (cell === null) return this.last ? this.fault(NOT_CLOSED) : false;
      if (cell instanceof Refusal) return this.fault(cell);
      cells.push(cell.value);
      at = cell.end;
      if (text.charCodeAt(at) !== COMMA) break;
      at++;
    }
    if (at - this.position > RECORD_BYTES) {
      this.stop();
      return true;
    }
    this.records.push({ line: this.line, cells });
    this.moveTo(text.charCodeAt(at) === RETURN ? at + 2 : at + 1);
    return true;
  }

  /** The cell whose opening quote is at `at`; null if the text ends before it does. */
  private quotedCell(at: number): { value: string; end: number } | Refusal | null {
    const { text } = this;
    let value = '';
    let start = at + 1;
    for (;;) {
      const quote = text.indexOf('"', start);
      if (quote < 0) return null;
      value += text.slice(start, quote);
      const end = quote + 1;
      // Whether the quote closes the cell shows only from what follows, which may be in the next chunk.
      if (end >= text.length) return this.last ? { value, end } : null;
      const next = text.charCodeAt(end);
      if (next === QUOTE) {
        value += '"';
        start = end + 1;
      } else if (next === COMMA || next === NEWLINE) {
        return { value, end };
      } else if (next === RETURN) {
        if (end + 1 >= text.length && !this.last) return null;
        return text.charCodeAt(end + 1) === NEWLINE || end + 1 >= text.length ? { value, end } : AFTER_QUOTE;
      } else {
        return AFTER_QUOTE;
      }
    }
  }

  /** The cell that begins at `at` without a quote; null if the text ends before it does. */
  private unquotedCell(at: number): { value: string; end: number } | Refusal | null {
    const { text } = this;
    let end = at;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === COMMA || code === NEWLINE) break;
      if (code === QUOTE) return QUOTE_INSIDE;
    }
    if (end >= text.length && !this.last) return null;
    const lineEnds = end >= text.length || text.charCodeAt(end) === NEWLINE;
    const cellEnd = lineEnds && end > at && text.charCodeAt(end - 1) === RETURN ? end - 1 : end;
    return { value: text.slice(at, cellEnd), end: cellEnd };
  }

  /** Refuses the record at hand and goes on after the line it begins on. */
  private fault(refusal: Refusal): true {
    const newline = this.text.indexOf('\n', this.position);
    const end = newline < 0 ? this.text.length : newline;
    this.faults.push({ line: this.line, text: this.text.slice(this.position, end), refusal });
    this.moveTo(end + 1);
    return true;
  }

  private moveTo(position: number): void {
    for (let at = this.position; at < position; at++) if (this.text.charCodeAt(at) === NEWLINE) this.line++;
    this.position = position;
  }

  private stop(): void {
    const start = this.text.slice(this.position, this.position + RECORD_BYTES);
    this.faults.push({ line: this.line, text: start, refusal: TOO_LONG });
    this.stopped = true;
  }
}

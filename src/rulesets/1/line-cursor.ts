/** Goes through the cells of canonical lines (spec §9) where they lie, without making a text of each. */

const COMMA = 44;
const NEWLINE = 10;
const ZERO = 48;
const POINT = 46;
/** So many digits are below 2^53, so a number holds them exactly. */
const SMALL_DIGITS = 15;
const POWERS_OF_TEN = Array.from({ length: SMALL_DIGITS + 1 }, (_, exponent) => 10 ** exponent);
/** Places for texts that are remembered: a power of two above the number of markets that a policy may have. */
const PLACES = 1024;

/**
 * A place in the lines of a table. Every question about a cell passes it, but those that say otherwise.
 * @throws RangeError where a line has fewer cells than it was asked for
 */
export class LineCursor {
  /** Where the next cell begins. */
  at = 0;
  readonly #end: number;
  readonly #known: (string | undefined)[] = new Array(PLACES);

  constructor(readonly bytes: Uint8Array) {
    this.#end = bytes.length;
  }

  get ended(): boolean {
    return this.at >= this.#end;
  }

  skip(): void {
    this.at = this.#cellEnd(this.at) + 1;
  }

  /** Passes what is left of a line. */
  nextLine(): void {
    let at = this.at;
    while (this.bytes[at] !== NEWLINE) {
      if (at >= this.#end) throw cutShort(this.at);
      at += 1;
    }
    this.at = at + 1;
  }

  /** Passes what is left of a line, and returns it without its end. */
  line(): string {
    const start = this.at;
    this.nextLine();
    return textOf(this.bytes, start, this.at - 1);
  }

  text(): string {
    const start = this.at;
    this.skip();
    return textOf(this.bytes, start, this.at - 1);
  }

  /** The cell that begins at `start` and was just passed. */
  textFrom(start: number): string {
    return textOf(this.bytes, start, this.at - 1);
  }

  /** A cell of which there are few different ones: one text for all that are equal. */
  knownText(): string {
    const { bytes } = this;
    const start = this.at;
    const end = this.#cellEnd(start);
    this.at = end + 1;
    let place = 0;
    for (let at = start; at < end; at += 1) place = (place * 31 + bytes[at]!) & (PLACES - 1);
    const known = this.#known[place];
    if (known !== undefined && isText(known, bytes, start, end)) return known;
    const text = textOf(bytes, start, end);
    this.#known[place] = text;
    return text;
  }

  /** true: the cell is empty, and was passed; false: it was not passed. */
  empty(): boolean {
    const byte = this.bytes[this.at];
    if (byte !== COMMA && byte !== NEWLINE) return false;
    this.at += 1;
    return true;
  }

  /**
   * A number of at most `decimals` decimals as an integer of 10^-decimals, for the short plain numbers that nearly every
   * cell holds. -1: it is another one, or no number.
   */
  small(decimals: number): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    let point = -1;
    for (; ; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      else if (bytes[at] === POINT && point < 0) point = at;
      else break;
    }
    const byte = bytes[at];
    const end = byte === COMMA || byte === NEWLINE ? at : this.#cellEnd(at);
    this.at = end + 1;
    const whole = (point < 0 ? at : point) - start;
    // With no more decimals than allowed, which is asked below, the value has no more digits than these.
    if (end !== at || whole === 0 || whole + decimals > SMALL_DIGITS) return -1;
    if (point < 0) return value * POWERS_OF_TEN[decimals]!;
    const fraction = at - point - 1;
    return fraction === 0 || fraction > decimals ? -1 : value * POWERS_OF_TEN[decimals - fraction]!;
  }

  /**
   * Compares the second cell of the line that begins here with the bytes of `other` in [from, to): negative, 0 or
   * positive, as bytes compare; positive at the end of the table. Passes nothing.
   */
  compareSecond(other: Uint8Array, from: number, to: number): number {
    if (this.ended) return 1;
    const { bytes } = this;
    let at = this.#cellEnd(this.at) + 1;
    for (let i = from; i < to; i += 1, at += 1) {
      const byte = bytes[at]!;
      if (byte === other[i]) continue;
      return byte === COMMA ? -1 : byte - other[i]!;
    }
    return bytes[at] === COMMA ? 0 : 1;
  }

  #cellEnd(start: number): number {
    const { bytes } = this;
    let at = start;
    for (let byte = bytes[at]; byte !== COMMA && byte !== NEWLINE; byte = bytes[at]) {
      if (at >= this.#end) throw cutShort(start);
      at += 1;
    }
    return at;
  }
}

function textOf(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at]!);
  return text;
}

function isText(text: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

function cutShort(at: number): RangeError {
  return new RangeError(`a table of canonical lines ends in the middle of a line, after its byte ${at}`);
}

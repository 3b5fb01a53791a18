/** A small deterministic stream of numbers (mulberry32): one seed, one stream, on every machine. */
export interface Random {
  /** An integer from low to high, both included. */
  integer(low: number, high: number): number;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
  /** The items in another order. */
  shuffled<Item>(items: readonly Item[]): Item[];
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const integer = (low: number, high: number): number => low + (next() % (high - low + 1));
  return {
    integer,
    oneIn: (times) => integer(1, times) === 1,
    pick: (items) => {
      if (items.length === 0) throw new RangeError('nothing to pick from');
      return items[integer(0, items.length - 1)] as never;
    },
    shuffled: (items) => {
      const result = [...items];
      for (let last = result.length - 1; last > 0; last -= 1) {
        const other = integer(0, last);
        [result[last], result[other]] = [result[other] as never, result[last] as never];
      }
      return result;
    },
  };
}

/** Decimal text of `digits / 10^decimals`, with trailing zeros as they fall. */
export function decimalOf(digits: bigint, decimals: number): string {
  const unsigned = (digits < 0n ? -digits : digits).toString().padStart(decimals + 1, '0');
  const whole = unsigned.slice(0, unsigned.length - decimals);
  return `${digits < 0n ? '-' : ''}${whole}${decimals === 0 ? '' : `.${unsigned.slice(unsigned.length - decimals)}`}`;
}

/** The two orders of spec §9: identifiers by bytes, numbers by value. */
import { compare, decimal } from './fraction';

/** Identifiers hold ASCII only, so that the order of UTF-16 code units is the order of bytes. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Two decimal texts by value. */
export function byValue(a: string, b: string): number {
  return compare(decimal(a, Number.MAX_SAFE_INTEGER), decimal(b, Number.MAX_SAFE_INTEGER));
}

/** The items under the key that `keyOf` gives each, in the order in which they came. */
export function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

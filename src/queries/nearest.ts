/** Of `known`, those that `wanted` may have been meant to be: within a few edits, nearest first, at most `count`. */
export function nearest(wanted: string, known: readonly string[], count = 3): readonly string[] {
  const lower = wanted.toLowerCase();
  return known
    .map((name) => ({ name, distance: distanceOf(lower, name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, name.length / 4))
    .sort((left, right) => left.distance - right.distance || (left.name < right.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name);
}

/** 0 for the same name, and for one that contains the other half an edit: part of an id is the likeliest slip. */
function distanceOf(wanted: string, name: string): number {
  if (wanted === name) return 0;
  if (wanted.length >= 3 && (name.includes(wanted) || wanted.includes(name))) return 0.5;
  return editDistance(wanted, name);
}

/** Levenshtein: insertions, deletions and replacements between two words. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}

/** `Did you mean a, b?`, or nothing where nothing is near. */
export function meantWords(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Did you mean ${names.join(', ')}?`;
}

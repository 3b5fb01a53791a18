/** A test that is named, by its file and by its title as it is written there. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

/**
 * A mistake that somebody could make, as a small replacement in one source file, and the tests that have to notice it.
 * It is never in the product: `npm run bugs` makes it in a throw-away copy.
 */
export interface SeededBug {
  readonly id: string;
  /** What went wrong, in words. */
  readonly mistake: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Every one of them fails with the bug, and passes without. */
  readonly caughtBy: readonly NamedTest[];
}

/** @throws Error if the text has the place of the bug not exactly once: the code changed, and the bug has to follow */
export function withBug(text: string, bug: SeededBug): string {
  const parts = text.split(bug.find);
  if (parts.length !== 2) {
    throw new Error(
      `bug ${bug.id} has to stand in ${bug.file} exactly once and does ${parts.length - 1} times: adapt its \`find\` to what the code says now`,
    );
  }
  return parts.join(bug.replace);
}

/** For catalogues: tests of one file. */
export const tests = (file: string, ...titles: readonly string[]): readonly NamedTest[] =>
  titles.map((title) => ({ file, title }));

/** A mutant that no test can kill, or need kill, and why. Checked against what Stryker reports, so that it cannot rot. */
export interface ExplainedSurvivor {
  readonly file: string;
  /** The line of the source that it is in, without the spaces around. */
  readonly line: string;
  readonly mutator: string;
  /** What stands there instead. */
  readonly replacement: string;
  readonly reason: string;
}

export const EXPLAINED: readonly ExplainedSurvivor[] = [
  {
    file: 'src/ledger/dues.ts',
    line: 'return rest >= 0n',
    mutator: 'EqualityOperator',
    replacement: 'rest > 0n',
    reason: 'equal: a rest of 0 is a due of 0 and a receivable of 0 on either road',
  },
  {
    file: 'src/ledger/lines-digest.ts',
    line: 'rows.sort(([a], [b]) => (a < b ? -1 : 1));',
    mutator: 'EqualityOperator',
    replacement: 'a <= b',
    reason: 'equal: two lines of one provider are refused in either order',
  },
  {
    file: 'src/ledger/lines-digest.ts',
    line: "return digestOfRows(hashes, [{ index: 0, order: 'bytes' }], rows);",
    mutator: 'StringLiteral',
    replacement: '""',
    reason: 'equal: what is not said to be a number is ordered by bytes; the types know no such word',
  },
  {
    file: 'src/numbers/amounts.ts',
    line: 'if (small >= 0) return BigInt(small);',
    mutator: 'ConditionalExpression',
    replacement: 'false',
    reason: 'equal: the short road is there for speed, and a property says that both roads give the same',
  },
  {
    file: 'src/numbers/amounts.ts',
    line: 'if (small >= 0) return BigInt(small);',
    mutator: 'EqualityOperator',
    replacement: 'small > 0',
    reason: 'equal: the short road is there for speed, and a property says that both roads give the same',
  },
  {
    file: 'src/numbers/decimal.ts',
    line: 'defaults: true,',
    mutator: 'BooleanLiteral',
    replacement: 'false',
    reason: 'equal, as long as nobody changes the settings of the library itself: then it shields ours from them',
  },
  {
    file: 'src/numbers/fractions.ts',
    line: 'return denominator < 0n ? { numerator: -numerator, denominator: -denominator } : { numerator, denominator };',
    mutator: 'EqualityOperator',
    replacement: 'denominator <= 0n',
    reason: 'equal: a denominator of 0 was answered the line before',
  },
];

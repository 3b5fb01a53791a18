import { AMOUNT_BUGS } from './amounts';
import { ARITHMETIC_BUGS } from './arithmetic';
import { DECISION_BUGS } from './decisions';
import { INPUT_BUGS } from './inputs';
import { MONEY_BUGS } from './money';
import { PUBLICATION_BUGS } from './publication';
import type { SeededBug } from './seeded-bug';

export const SEEDED_BUGS: readonly SeededBug[] = [
  ...ARITHMETIC_BUGS,
  ...AMOUNT_BUGS,
  ...INPUT_BUGS,
  ...PUBLICATION_BUGS,
  ...DECISION_BUGS,
  ...MONEY_BUGS,
];

import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in what is let in, and in the proofs of what went out (spec §3, §9). */
export const INPUT_BUGS: readonly SeededBug[] = [
  {
    id: 'nan-accepted',
    mistake: 'NaN is taken for a number',
    file: 'src/numbers/patterns.ts',
    find: String.raw`export const NUMBER_PATTERN = /^-?[0-9]+(\.[0-9]+)?$/;`,
    replace: String.raw`export const NUMBER_PATTERN = /^-?([0-9]+(\.[0-9]+)?|NaN)$/;`,
    caughtBy: tests('test/numbers/decimal.test.ts', 'refuses "NaN" as no number'),
  },
  {
    id: 'late-rows-join',
    mistake: 'rows of a sealed epoch are loaded with the others',
    file: 'src/store/staged-load.ts',
    find: 'where not exists (select from seal where seal.network = $1::text and seal.epoch = t.epoch)',
    replace: 'where true',
    caughtBy: tests('test/store/import.test.ts', 'a seal that came first is waited for, and the rows are late'),
  },
  {
    id: 'late-rows-lost',
    mistake: 'rows that arrive after sealing are dropped without a trace',
    file: 'src/store/staged-load.ts',
    find: 'where exists (select from seal where seal.network = $1::text and seal.epoch = t.epoch)',
    replace: 'where false and $1::text is not null',
    caughtBy: tests('test/store/import.test.ts', 'are kept apart and counted once; what was sealed stands'),
  },
  {
    id: 'sealed-meanwhile',
    mistake: 'a load does not look whether an epoch was sealed while its rows were written',
    file: 'src/store/straight-load.ts',
    find: 'await epochs.requireOpen();',
    replace: '',
    caughtBy: tests('test/store/import.test.ts', 'a seal that came first is waited for, and the rows are late'),
  },
  {
    id: 'zero-address-paid',
    mistake: 'the zero address is taken for a payee',
    file: 'src/numbers/patterns.ts',
    find: 'return PAYEE_PATTERN.test(text) && text !== ZERO_ADDRESS;',
    replace: 'return PAYEE_PATTERN.test(text) || text === ZERO_ADDRESS;',
    caughtBy: [
      ...tests('test/numbers/patterns.test.ts', 'a payee is a 20-byte address and not the zero address'),
      ...tests('test/inputs/cells.test.ts', 'the zero address is none'),
    ],
  },
  {
    id: 'closed-too-early',
    mistake: 'a run that somebody starts in Temporal closes an epoch whose time has not come',
    file: 'activities/gather.ts',
    find: 'await requireDue(deps.pool, ref);',
    replace: '',
    caughtBy: tests(
      'test/rights/direct-temporal.test.ts',
      'S3: an epoch is not settled before its time, nor past one that is open, by whoever starts its run',
    ),
  },
  {
    id: 'early-deadline',
    mistake: 'an epoch is given up before its input deadline has passed',
    file: 'activities/gather.ts',
    find: 'if (secondsLeft > 0) return',
    replace: 'if (secondsLeft > RECHECK_SECONDS) return',
    caughtBy: tests('test/activities/gather.test.ts', 'the last look comes at the deadline, not 30 seconds later'),
  },
  {
    id: 'leaf-hashed-once',
    mistake: 'the leaves of the claims are hashed once, so that an inner node can pass for one',
    file: 'src/proofs/claims-tree.ts',
    find: 'return keccak256(keccak256(encoded));',
    replace: 'return keccak256(encoded);',
    caughtBy: tests('test/proofs/claims-tree.test.ts', 'a tree of 1,000 loads there, and every proof verifies here'),
  },
];

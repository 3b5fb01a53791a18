/**
 * The pure rooms, each with its folder in src and one of the same name in test; and what of it is mutated: of the ledger
 * what needs no database to be tested. Statements are tested on real ones (test/ledger/statement.test.ts).
 */
const MUTATED = {
  numbers: 'src/numbers/**/*.ts',
  ledger: 'src/ledger/dues.ts,src/ledger/lines-digest.ts',
  rulesets: 'src/rulesets/**/*.ts',
  proofs: 'src/proofs/**/*.ts',
  explain: 'src/explain/**/*.ts',
} as const;

export type Room = keyof typeof MUTATED;

export const ROOMS = Object.keys(MUTATED) as readonly Room[];

/** Globs of the files of a room that are mutated, with commas between them. */
export const mutatedFiles = (room: Room): string => MUTATED[room];

/** The pure rooms, each with its folder in src and one of the same name in test. */
export const ROOMS: readonly string[] = ['numbers', 'ledger', 'rulesets', 'proofs', 'explain'];

import * as ruleset1 from './1';
import { RulesetError } from './1/errors';

/** Everything that settles epochs under one ruleset: pure functions of plain data. */
export type Ruleset = typeof ruleset1;

// A ruleset once released is never edited or removed: old epochs stay recomputable for ever.
const RULESETS: ReadonlyMap<number, Ruleset> = new Map([[1, ruleset1]]);

/**
 * The arithmetic of a ruleset, by the number that policies and contents name it with (spec §2, §9).
 *
 * @throws RulesetError `unknown-ruleset`
 */
export function rulesetOf(number: number): Ruleset {
  const ruleset = RULESETS.get(number);
  if (ruleset !== undefined) return ruleset;
  throw new RulesetError('unknown-ruleset', {
    what: `Ruleset ${number} is not known to this version.`,
    where: `known: ${[...RULESETS.keys()].join(', ')}`,
    todo: 'install a version that has it; there is no default.',
  });
}

import { amountText, NANO_DECIMALS, scaledText } from '../numbers/amounts';
import { rulesetOf } from '../rulesets';
import { parseDerivation } from '../rulesets/1/derivation-text';
import { providersOfLines } from '../rulesets/1/provider-lines';
import { accountsOf, bookedAccounts } from './check-claims';
import { policyOf } from './check-policy';
import type { Dossier } from './dossier';
import { once } from './once';
import { pricesRowOf } from './records';

/** Where the lines of each provider stand; of the rows that change with providers. */
export const linesByProvider = once(({ rows }: Dossier) => {
  const of = (lines: readonly string[], column: 0 | 1) => {
    const found = new Map<string, number[]>();
    for (const [index, line] of lines.entries()) {
      const provider = line.split(',', 2)[column] ?? '';
      const own = found.get(provider);
      if (own === undefined) found.set(provider, [index]);
      else own.push(index);
    }
    return found;
  };
  return { providers: of(rows.providers, 0), capacity: of(rows.capacity, 1), performance: of(rows.performance, 1) };
});

/** What was published of each provider, in the form of {@link rewardAsSettled}. */
export const payoutsByProvider = once(({ payouts }: Dossier) => {
  const published = new Map<string, string>();
  for (const line of payouts) {
    const [provider = '', gross, , , , reason, multiplier] = line.split(',');
    published.set(provider, `${multiplier},${reason},${gross}`);
  }
  return published;
});

/**
 * Providers whose stored rows give other figures at the published prices than were published of them: one changed cell
 * of a provider makes only that provider one, however many there are.
 */
export const suspectsOf = once((dossier: Dossier): ReadonlySet<string> => {
  const { performance } = linesByProvider(dossier);
  const suspects = new Set<string>();
  for (const [provider, wanted] of payoutsByProvider(dossier)) {
    const line = performance.get(provider)?.[0];
    if (figureOf(dossier, provider, line === undefined ? null : dossier.rows.performance[line]!) !== wanted)
      suspects.add(provider);
  }
  return suspects;
});

function figureOf(dossier: Dossier, provider: string, performance: string | null): string | null {
  try {
    return rewardAsSettled(dossier, provider)?.(performance) ?? null;
  } catch {
    // No number, or no such row: as suspect as another figure.
    return null;
  }
}

/** Indexes of rows, those of the suspects first. */
export function suspectsFirst(
  dossier: Dossier,
  cells: readonly (readonly string[])[],
  column: 0 | 1,
): readonly number[] {
  const suspects = suspectsOf(dossier);
  const [first, others]: [number[], number[]] = [[], []];
  for (const [index, row] of cells.entries()) (suspects.has(row[column]!) ? first : others).push(index);
  return [...first, ...others];
}

const asSettled = once((dossier: Dossier) => ({
  derivation: parseDerivation(dossier.header.derivation, dossier.prices.map(pricesRowOf)),
  policy: policyOf(dossier),
}));

/**
 * Multiplier, reason and gross of a provider at the published prices, by its performance line (null: none); null: it has
 * no registry row, or no capacity row.
 */
export function rewardAsSettled(dossier: Dossier, provider: string): ((performance: string | null) => string) | null {
  const { rows, header } = dossier;
  const { derivation, policy } = asSettled(dossier);
  const { grossOf } = rulesetOf(header.ruleset);
  const lines = linesByProvider(dossier);
  const registry = (lines.providers.get(provider) ?? []).map((index) => rows.providers[index]!);
  const capacity = (lines.capacity.get(provider) ?? []).map((index) => rows.capacity[index]!);
  if (registry.length === 0 || capacity.length === 0) return null;
  return (performance) => {
    const [one] = providersOfLines(registry, capacity, performance === null ? [] : [performance]);
    const { score, reason, gross } = grossOf(derivation, policy, one!);
    return `${score === null ? '' : scaledText(score.multiplier, NANO_DECIMALS)},${reason},${amountText(gross)}`;
  };
}

/** Payees who are entitled to something else by the stored registry than by the claims that were kept. */
export function payeesInDoubt(dossier: Dossier): ReadonlySet<string> {
  const { before, stored } = dossier.claims;
  if (stored === null) return new Set();
  try {
    const [kept, booked] = [accountsOf(stored), bookedAccounts(dossier, accountsOf(before))];
    const payees = [...kept.keys(), ...booked.keys()];
    return new Set(payees.filter((payee) => kept.get(payee)?.entitlement !== booked.get(payee)?.entitlement));
  } catch {
    // Rows that cannot be booked put nobody in particular in doubt.
    return new Set();
  }
}

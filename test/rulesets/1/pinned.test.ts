import fc from 'fast-check';
import { derivationText, parseDerivation, pricesTable } from '../../../src/rulesets/1/derivation-text';
import { derive, derivePinned, type KeptRevision } from '../../../src/rulesets/1/derive';
import type { FullDerivation } from '../../../src/rulesets/1/records';
import { grossOf, payoutOf } from '../../../src/rulesets/1/reward';
import { EPOCH, epochs, factsFrom, settle } from './arbitrary-epochs';

/** What a later revision keeps of a published one: its rows as text, and nothing else. */
function keptOf(derivation: FullDerivation): KeptRevision {
  const published = parseDerivation(derivationText(derivation), pricesTable(derivation));
  return {
    markets: published.measures.markets.map((measures, i) => ({
      measures,
      price: published.prices[i]!,
      multipliers: published.multipliers[i]!,
    })),
    network: published.measures.network,
    growthPhase: published.growthPhase,
  };
}

test('a pinned revision of unchanged rows has the amounts and the prices table of the one before', () => {
  fc.assert(
    fc.property(epochs, ([policy, rows, around, history]) => {
      const facts = factsFrom(policy, rows, around);
      const derivation = derive(policy, facts, history);
      const pinned = derivePinned(policy, EPOCH, keptOf(derivation), facts.performance);
      expect(pricesTable(pinned)).toEqual(pricesTable(derivation));
      const rewards = rows.map((provider) => grossOf(pinned, policy, provider));
      const cappedSum = rewards.reduce((sum, { capped }) => sum + capped, 0n);
      const payouts = rewards.map((reward) => payoutOf(pinned, reward, cappedSum as never));
      expect(payouts).toEqual(settle(policy, derivation, rows).payouts);
    }),
    { numRuns: 300 },
  );
});

import type { Amount } from '../../src/numbers/units';
import { rulesetOf } from '../../src/rulesets';
import { factsOf, historyOf, policyWith } from './1/fixtures';

test('ruleset 1 is known by its number', () => {
  expect(rulesetOf(1).parsePolicy(policyWith().document).name).toBe('test');
});

test.each([0, 2, -1, 1.5, Number.NaN])('ruleset %p is refused: there is no default', (number) => {
  expect(() => rulesetOf(number)).toThrow(
    expect.objectContaining({
      id: 'unknown-ruleset',
      message: expect.stringContaining(`Ruleset ${number} is not known to this version. Where: known: 1.`),
    }),
  );
});

test('the content of a revision has the keys and types of the specification', () => {
  const { derive, revisionContent } = rulesetOf(1);
  const derivation = derive(policyWith(), factsOf(7, { disk: ['2', '1', '1.5'] }), historyOf());
  const digest = (digit: string) => digit.repeat(64);
  const names = {
    network: 'swarm',
    epoch: 7,
    revision: 2,
    policyHash: digest('1'),
    snapshotDigest: digest('2'),
    pricesDigest: digest('3'),
    payoutsDigest: digest('4'),
  };
  expect(revisionContent(names, derivation, 400_000_000n as Amount)).toEqual({
    kind: 'revision',
    ...names,
    ruleset: 1,
    activeProviders: 5,
    growthPhase: 'expansion',
    tokenPrice: '0.5',
    tokenVolume: '100',
    macro: '1',
    pool: '1000000000',
    sum: '400000000',
    unallocated: '600000000',
  });
});

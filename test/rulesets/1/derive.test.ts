import { derivationText, parseDerivation, pricesTable } from '../../../src/rulesets/1/derivation-text';
import { derive } from '../../../src/rulesets/1/derive';
import { factsOf, historyOf, policyWith, published, ratio } from './fixtures';

const POLICY = policyWith();
const MARKETS = { disk: ['10', '5', '6'], 'gpu.t4': ['3', '3', null], 'gpu.v100': ['9', '1', '1'] } as const;
/** Five active providers: past bootstrap, and not grown up. */
const FACTS = factsOf(5, MARKETS, { macro: ratio('1.1') });

test('a derivation is read back from its text and its prices table as it was', () => {
  const derivation = derive(POLICY, FACTS, historyOf(published(4, { disk: ['9', '4'] })));
  const text = JSON.parse(JSON.stringify(derivationText(derivation)));
  const read = parseDerivation(text, pricesTable(derivation));
  expect(plain(read)).toEqual(plain(derivation));
  expect(read.measures.network.tokenSources.map(({ source }) => source)).toEqual(['exchange', 'oracle']);
});

/** All decimals and integers as text. */
const plain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? one.toString() : one)));

test('the growth phase goes on from that of the last published epoch, not of an earlier one', () => {
  const phaseAfter = (...phases: readonly string[]) => {
    const epochs = phases.map((growthPhase, index) => published(index + 1, { disk: ['9', '4'] }, { growthPhase }));
    return derive(POLICY, FACTS, historyOf(...epochs)).growthPhase;
  };
  expect(phaseAfter()).toBe('expansion');
  expect(phaseAfter('bootstrap', 'maturity')).toBe('maturity');
  expect(phaseAfter('maturity', 'bootstrap')).toBe('expansion');
  expect(phaseAfter('bootstrap', 'bootstrap', 'maturity')).toBe('maturity');
});

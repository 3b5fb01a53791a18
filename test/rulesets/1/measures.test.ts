import { Decimal as DecimalJs } from 'decimal.js';
import fc from 'fast-check';
import { decimalText } from '../../../src/numbers/decimal';
import { historyReach } from '../../../src/rulesets/1/history';
import { ewma, median } from '../../../src/rulesets/1/means';
import { measure } from '../../../src/rulesets/1/measures';
import type { EpochFacts, History, Measures, PublishedEpoch, Quote } from '../../../src/rulesets/1/records';
import { factsOf, historyOf, micro, policyWith, published, ratio, text, tokenRows, usd } from './fixtures';

const NONE = historyOf();
const V100 = 'gpu.v100';

function measuresOf(market: string, facts: EpochFacts, history: History, policy = policyWith()) {
  const found = measure(policy, facts, history).markets.find((row) => row.market === market);
  if (found === undefined) throw new Error(`no measures of ${market}`);
  return found;
}

/** The V100's D of consecutive epochs from 0; S is 100. */
const demands = (...values: readonly string[]) =>
  values.map((demand, epoch) => published(epoch, { [V100]: ['100', demand] }));

describe('without history', () => {
  const row = measuresOf(V100, factsOf(0, { [V100]: ['10', '4', '6'], 'gpu.t4': ['1', '1', '5'] }), NONE);

  test('means are the current values, the forecast is D, and the price before is basePrice', () => {
    expect(row.supplyMean.toFixed()).toBe('10');
    expect(row.demandMean.toFixed()).toBe('6');
    expect(row.forecast.toFixed()).toBe('6');
    expect(row.previousBase.toFixed()).toBe('2');
  });

  test("the family's current D is both of its means", () => {
    expect([row.familyFast.toFixed(), row.familySlow.toFixed()]).toEqual(['11', '11']);
  });

  test('every market of the policy is measured, by bytes, those without rows at 0', () => {
    const { markets } = measure(policyWith(), factsOf(0, { [V100]: ['10', '4', '6'] }), NONE);
    expect(markets.map(({ market, supply, used, demand }) => [market, text(supply), text(used), text(demand)])).toEqual(
      [
        ['disk', '0', '0', '0'],
        ['gpu.t4', '0', '0', '0'],
        ['gpu.v100', '10', '4', '6'],
      ],
    );
  });
});

test('without a demand row D is what was used; a row of 0 is a row', () => {
  expect(measuresOf(V100, factsOf(0, { [V100]: ['10', '4', null] }), NONE).demand.toFixed()).toBe('4');
  expect(measuresOf(V100, factsOf(0, { [V100]: ['10', '4', '0'] }), NONE).demand.toFixed()).toBe('0');
});

describe('means of history', () => {
  test('the first value stands, each next one moves the mean by alpha (a half)', () => {
    const history = historyOf(
      published(0, { [V100]: ['10', '4'] }),
      published(1, { [V100]: ['20', '8'] }),
      published(2, { [V100]: ['30', '6'] }),
    );
    const row = measuresOf(V100, factsOf(3, { [V100]: ['1', '1', '1'] }), history);
    expect(row.supplyMean.toFixed()).toBe('22.5'); // 10, 15, 22.5
    expect(row.demandMean.toFixed()).toBe('6'); // 4, 6, 6
    expect(row.familyFast.toFixed()).toBe('6');
    expect(row.familySlow.toFixed()).toBe('5.25'); // 4, 5, 5.25
  });

  test('the current epoch is not part of its means', () => {
    const row = measuresOf(
      V100,
      factsOf(1, { [V100]: ['70', '7', '7'] }),
      historyOf(published(0, { [V100]: ['10', '4'] })),
    );
    expect([row.supplyMean.toFixed(), row.demandMean.toFixed()]).toEqual(['10', '4']);
  });

  test('only the last `window` published epochs count, however far apart', () => {
    const epochs = [3, 5, 7, 11, 13, 17, 19, 23, 29].map((epoch) => published(epoch, { [V100]: [String(epoch), '1'] }));
    // window 8, alpha 1: the last value; alpha tiny: the first of the window, which is that of epoch 5.
    const policy = policyWith({ 'history/alpha': '0.000000001' });
    const row = measuresOf(V100, factsOf(31, { [V100]: ['1', '1', '1'] }), historyOf(...epochs), policy);
    expect(row.supplyMean.toDecimalPlaces(0).toFixed()).toBe('5');
  });

  test('each step of the mean is rounded to 9 decimals, half to even', () => {
    const policy = policyWith({ 'history/alpha': '0.0005' });
    const epochs = [published(0, { [V100]: ['1', '1'] }), published(1, { [V100]: ['1.000001', '1'] })];
    // 0.9995 + 0.0005 * 1.000001 = 1.0000000005, a tie: down to the even 1; rounding up would give 1.000000001.
    const row = measuresOf(V100, factsOf(2, { [V100]: ['1', '1', '1'] }), historyOf(...epochs), policy);
    expect(row.supplyMean.toFixed()).toBe('1');
  });

  test('ewma equals decimal.js at precision 200', () => {
    const Oracle = DecimalJs.clone({ precision: 200, rounding: DecimalJs.ROUND_HALF_EVEN });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000_000 }),
        fc.array(fc.bigInt({ min: 0n, max: 10n ** 30n }), { minLength: 1, maxLength: 20 }),
        (alpha, values) => {
          const a = new Oracle(alpha).times('1e-9');
          const series = values.map((value) => new Oracle(value.toString()).times('1e-12'));
          const expected = series.reduce((mean, x, index) =>
            index === 0 ? x : a.times(x).plus(new Oracle(1).minus(a).times(mean)).toDecimalPlaces(9),
          );
          expect(new Oracle(ewma(BigInt(alpha), values, -1n).toString()).times('1e-12').equals(expected)).toBe(true);
        },
      ),
    );
  });

  test('ewma of nothing is what stands for nothing', () => {
    expect(ewma(500_000_000n, [], 7n)).toBe(7n);
  });
});

describe('gaps', () => {
  const history = historyOf(
    published(0, { [V100]: ['10', '4'], 'gpu.t4': ['1', '1'] }),
    published(1, { 'gpu.t4': ['1', '1'] }), // does not price the V100
    published(2, { [V100]: ['0', '7'], 'gpu.t4': ['1', '1'] }), // no supply of the V100
    published(3, { [V100]: ['99', '0'], 'gpu.t4': ['99', '0'] }), // everybody idle
    published(4, { [V100]: ['10', '0'], 'gpu.t4': ['1', '1'] }), // idle alone: no gap
  );
  const facts = factsOf(5, { [V100]: ['1', '1', '1'] });

  test('F33: a market skips epochs that did not price it, had none of it, or had everybody idle', () => {
    const row = measuresOf(V100, facts, history);
    expect(row.supplyMean.toFixed()).toBe('10');
    expect(row.demandMean.toFixed()).toBe('2'); // 4, then 0: the idle market itself counts
  });

  test('a family has a gap only where all of its supply is 0, or everybody is idle', () => {
    // D of compute: 5, 1, 8, (gap), 1; fast is a half.
    const row = measuresOf(V100, facts, history);
    expect(row.familyFast.toFixed()).toBe('3.25'); // 5, 3, 5.5, 3.25
  });

  test('markets that the policy no longer has still say whether everybody was idle', () => {
    const other = historyOf(published(0, { [V100]: ['10', '0'], tape: ['1', '1'] }));
    expect(measuresOf(V100, factsOf(1, { [V100]: ['5', '1', '1'] }), other).supplyMean.toFixed()).toBe('10');
    const idle = historyOf(published(0, { [V100]: ['10', '0'], tape: ['1', '0'] }));
    expect(measuresOf(V100, factsOf(1, { [V100]: ['5', '1', '1'] }), idle).supplyMean.toFixed()).toBe('5');
  });

  test("a family is what this epoch's policy puts there", () => {
    const moved = policyWith({ 'market/gpu.t4/family': 'storage' });
    const past = historyOf(published(0, { [V100]: ['10', '4'], 'gpu.t4': ['10', '3'], disk: ['10', '2'] }));
    const now = factsOf(1, { [V100]: ['1', '1', '1'] });
    expect(measuresOf(V100, now, past, moved).familyFast.toFixed()).toBe('4');
    expect(measuresOf('disk', now, past, moved).familyFast.toFixed()).toBe('5');
    expect(measuresOf('disk', now, past).familyFast.toFixed()).toBe('2');
  });
});

describe('forecast', () => {
  const at = (epoch: number, demand: string, epochs: readonly PublishedEpoch[]) =>
    text(measuresOf(V100, factsOf(epoch, { [V100]: ['100', '0', demand] }), historyOf(...epochs)).forecast);

  test('moves D by the difference of the two seasonal means', () => {
    // Season 2. Even epochs: 10 and 12, mean 11. Odd epochs: 20 and 22, mean 21.
    expect(at(4, '7', demands('10', '20', '12', '22'))).toBe('17');
    expect(at(5, '15', demands('10', '20', '12', '22', '11'))).toBe('5');
  });

  test('looks at the phase that comes, not at the one that went', () => {
    // Season 3. Epoch 6 is of the first phase (10), epoch 7 of the second (20), epoch 5 was of the third (60).
    const policy = policyWith({ 'history/season': '3' });
    const past = historyOf(...demands('10', '20', '60', '10', '20', '60'));
    const { markets } = measure(policy, factsOf(6, { [V100]: ['100', '0', '7'] }), past);
    expect(text(markets.find(({ market }) => market === V100)!.forecast)).toBe('17');
  });

  test('is never below 0', () => {
    expect(at(5, '7', demands('10', '20', '12', '22', '11'))).toBe('0');
  });

  test('is D with fewer than 2*season epochs of history', () => {
    expect(at(3, '7', demands('10', '20', '12'))).toBe('7');
  });

  test('is D where a phase has no epoch in the history', () => {
    const even = [0, 2, 4, 6].map((epoch) => published(epoch, { [V100]: ['100', '10'] }));
    expect(at(7, '7', even)).toBe('7');
    expect(at(8, '7', even)).toBe('7');
  });

  test('counts epochs of history less gaps', () => {
    const gap = published(3, { [V100]: ['0', '22'], 'gpu.t4': ['1', '1'] });
    expect(at(4, '7', [...demands('10', '20', '12'), gap])).toBe('7');
  });

  test('brings both means to one denominator before the one rounding', () => {
    // A(e+1) = 1/3 micro-hours, A(e) = 1/6: the exact difference is a sixth, 0.000000166...; rounding each first
    // would give 0.000000333 - 0.000000167 = 0.000000166.
    const odd = ['0.000001', '0', '0'];
    const even = ['0.000001', '0', '0', '0', '0', '0'];
    const policy = policyWith({ 'history/window': '12' });
    const epochs = [
      ...odd.map((demand, index) => published(2 * index + 1, { [V100]: ['100', demand], 'gpu.t4': ['1', '1'] })),
      ...even.map((demand, index) => published(2 * index + 6, { [V100]: ['100', demand], 'gpu.t4': ['1', '1'] })),
    ].sort((left, right) => left.epoch - right.epoch);
    const facts = factsOf(20, { [V100]: ['100', '0', '1'] });
    expect(text(measuresOf(V100, facts, historyOf(...epochs), policy).forecast)).toBe('1.000000167');
  });
});

describe('competitor price', () => {
  const quote = (source: string, price: string): Quote => ({ market: V100, source, usdPerUnit: usd(price) });
  const three = [quote('a', '1'), quote('b', '3'), quote('c', '2')];
  const at = (epoch: number, quotes: readonly Quote[], ...epochs: readonly PublishedEpoch[]) => {
    const row = measuresOf(V100, factsOf(epoch, { [V100]: ['1', '1', '1'] }, { quotes }), historyOf(...epochs));
    return [text(row.competitor), row.competitorEpoch];
  };
  const quoted = (epoch: number, price: string, from = epoch) =>
    published(epoch, { [V100]: ['1', '1'] }, { market: { competitor: usd(price), competitorEpoch: from } });

  test('is the median over sources', () => {
    expect(at(0, three)).toEqual(['2', 0]);
    expect(at(0, [...three, quote('d', '2.000000000001')])).toEqual(['2', 0]); // 2.0000000000005, to even
    expect(at(0, [...three, quote('d', '2.000000000003')])).toEqual(['2.000000000002', 0]); // 2.0000000000015
  });

  test('a source counts once, with the median of its own quotes', () => {
    expect(at(0, [...three, quote('a', '9'), quote('a', '5')])).toEqual(['3', 0]); // a: 5
    expect(at(0, [quote('a', '1'), quote('a', '2'), quote('b', '3')])).toEqual([null, null]);
  });

  test("quotes of another market are not this one's", () => {
    const others = three.map((row) => ({ ...row, market: 'gpu.t4' }));
    expect(at(0, [...three.slice(0, 2), ...others])).toEqual([null, null]);
  });

  test('with too few sources it is the newest of its own quotes not before e - season (2)', () => {
    const few = three.slice(0, 2);
    expect(at(5, few, quoted(2, '7'), quoted(3, '5'), quoted(4, '5', 3))).toEqual(['5', 3]);
    expect(at(5, few, quoted(3, '5'), quoted(4, '6'))).toEqual(['6', 4]);
    expect(at(5, few, quoted(2, '7'))).toEqual([null, null]);
  });

  test('and not those of another market of that epoch', () => {
    const both = published(4, { disk: ['1', '1'], [V100]: ['1', '1'] });
    const priced = (market: string) => ({
      ...both,
      markets: both.markets.map((row) =>
        row.market === market ? { ...row, competitor: usd('6'), competitorEpoch: 4 } : row,
      ),
    });
    expect(at(5, [], priced(V100))).toEqual(['6', 4]);
    expect(at(5, [], priced('disk'))).toEqual([null, null]);
  });

  test('a carried price is never carried further', () => {
    expect(at(5, [], quoted(3, '9', 1), quoted(4, '9', 2))).toEqual([null, null]);
  });
});

describe('provider growth window', () => {
  const at = (epoch: number, ...epochs: readonly PublishedEpoch[]): Measures =>
    measure(policyWith(), factsOf(epoch, { [V100]: ['1', '1', '1'] }), historyOf(...epochs));
  const withProviders = (epoch: number, activeProviders: number) =>
    published(epoch, { [V100]: ['1', '1'] }, { activeProviders });

  test('starts at the oldest published epoch not before e - growthWindow (3)', () => {
    const { network } = at(7, withProviders(3, 30), withProviders(4, 40), withProviders(6, 60));
    expect([network.activeProviders, network.activeProvidersThen]).toEqual([5, 40]);
  });

  test('is the epoch itself where none is published in it', () => {
    expect(at(7, withProviders(3, 30)).network.activeProvidersThen).toBe(5);
  });
});

describe('token volume mean', () => {
  test('of one published epoch is that volume, with all of its decimals', () => {
    const past = published(0, { [V100]: ['1', '1'] }, { tokenVolume: usd('0.000000000001') as never });
    const { network } = measure(policyWith(), factsOf(1, { [V100]: ['1', '1', '1'] }), historyOf(past));
    expect([text(network.tokenVolume), text(network.tokenVolumeMean)]).toEqual(['100', '0.000000000001']);
  });

  test('counts idle epochs too: trading has no gaps', () => {
    const volumes = ['100', '200'].map((volume, epoch) =>
      published(epoch, { [V100]: ['0', '0'] }, { tokenVolume: usd(volume) as never }),
    );
    const { network } = measure(policyWith(), factsOf(2, { [V100]: ['1', '1', '1'] }), historyOf(...volumes));
    expect(text(network.tokenVolumeMean)).toBe('150');
  });

  test('without history is the current volume', () => {
    const facts = factsOf(0, { [V100]: ['1', '1', '1'] }, { token: tokenRows(0, '0.5', '7') });
    expect(text(measure(policyWith(), facts, NONE).network.tokenVolumeMean)).toBe('14');
  });
});

test('a macro index that is not given is 1', () => {
  const facts = factsOf(0, { [V100]: ['1', '1', '1'] });
  expect(text(measure(policyWith(), facts, NONE).network.macro)).toBe('1');
  expect(text(measure(policyWith(), { ...facts, macro: ratio('1.1') }, NONE).network.macro)).toBe('1.1');
});

describe('previous base', () => {
  test('is that of the last epoch that priced the market, however long ago', () => {
    const history: History = {
      epochs: [published(8, { [V100]: ['1', '1'] })],
      lastBases: new Map([
        [V100, usd('2')],
        ['disk', usd('0.07')],
      ]),
    };
    expect(text(measuresOf('disk', factsOf(9, { [V100]: ['1', '1', '1'] }), history).previousBase)).toBe('0.07');
    expect(text(measuresOf('gpu.t4', factsOf(9, { [V100]: ['1', '1', '1'] }), history).previousBase)).toBe('1');
  });

  test('is refused where it contradicts the epochs themselves', () => {
    const epochs = [published(8, { [V100]: ['1', '1'] })];
    for (const lastBases of [new Map(), new Map([[V100, usd('3')]])]) {
      expect(() => measure(policyWith(), factsOf(9, { [V100]: ['1', '1', '1'] }), { epochs, lastBases })).toThrow(
        expect.objectContaining({
          id: 'history-mismatch',
          message: expect.stringContaining(
            `Market ${V100} had the base price 2 in epoch 8, the last bases say ${lastBases.get(V100)?.toFixed() ?? 'nothing'}.`,
          ),
        }),
      );
    }
  });
});

test.each([
  ['an epoch twice', [4, 4]],
  ['newest first', [5, 4]],
  ['the epoch itself', [8, 9]],
  ['a later epoch', [10]],
])('a history with %s is refused', (_, epochs) => {
  const history = historyOf(...epochs.map((epoch) => published(epoch, { [V100]: ['1', '1'] })));
  expect(() => measure(policyWith(), factsOf(9, { [V100]: ['1', '1', '1'] }), history)).toThrow(
    expect.objectContaining({
      id: 'history-mismatch',
      message: expect.stringContaining('is out of place in the history of epoch 9.'),
    }),
  );
});

test.each([
  [{ [V100]: ['100', '0', '0'], disk: ['1', '0', null] }, true],
  [{ [V100]: ['100', '0', '0.000001'], disk: ['1', '0', null] }, false],
  [{ [V100]: ['100', '0', '0'], disk: ['1', '0.000001', null] }, false],
] as const)('everybody is idle where nothing was asked for in any market: %j', (totals, idle) => {
  expect(measure(policyWith(), factsOf(2, totals), NONE).network.everybodyIdle).toBe(idle);
});

test('rows of a market that the policy does not have are refused, not left unpaid', () => {
  expect(() => measure(policyWith(), factsOf(0, { tape: ['1', '1', '1'] }), NONE)).toThrow(
    expect.objectContaining({
      id: 'unknown-market',
      message: expect.stringContaining('The rows of epoch 0 name the market tape, which the policy does not have.'),
    }),
  );
});

test('an epoch without a usable token price has no prices', () => {
  expect(() => measure(policyWith(), factsOf(0, { [V100]: ['1', '1', '1'] }, { token: [] }), NONE)).toThrow(
    expect.objectContaining({
      id: 'no-token-price',
      message: expect.stringContaining('Epoch 0 has no usable token price.'),
    }),
  );
});

test('the reach of history covers window and growth window', () => {
  expect(historyReach(policyWith())).toBe(8);
  expect(historyReach(policyWith({ 'history/growthWindow': '24' }))).toBe(24);
});

test('loading more history than the reach changes nothing', () => {
  const epochs = Array.from({ length: 30 }, (_, epoch) =>
    published(
      epoch,
      { [V100]: [String(epoch + 1), String((epoch * 7) % 11)], disk: ['3', '1'] },
      { activeProviders: epoch },
    ),
  );
  const facts = factsOf(30, { [V100]: ['5', '3', '4'] });
  const all = historyOf(...epochs);
  const enough = { ...all, epochs: epochs.slice(-historyReach(policyWith())) };
  expect(measure(policyWith(), facts, all)).toEqual(measure(policyWith(), facts, enough));
});

describe('median', () => {
  test('of an even count is the mean of the middle two, q12', () => {
    expect(decimalText(median([usd('4'), usd('1'), usd('3'), usd('2')]))).toBe('2.5');
    expect(decimalText(median([usd('0.000000000001'), usd('0.000000000002')]))).toBe('0.000000000002');
  });

  test('does not reorder what it is given', () => {
    const values = [usd('3'), usd('1'), usd('2')];
    expect(text(median(values))).toBe('2');
    expect(values.map(text)).toEqual(['3', '1', '2']);
  });

  test('of nothing is refused', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

test('S, U and D are exact to the micro-unit, however large', () => {
  const row = measuresOf(
    V100,
    factsOf(0, { [V100]: ['123456789012345678901234567890.123456', '0.000001', null] }),
    NONE,
  );
  expect([text(row.supply), text(row.supplyMean), text(row.demand)]).toEqual([
    '123456789012345678901234567890.123456',
    '123456789012345678901234567890.123456',
    '0.000001',
  ]);
  expect(micro('0.000001')).toBe(1n);
});

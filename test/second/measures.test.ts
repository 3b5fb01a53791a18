import { decimalText, type Fraction } from '../../src/audit/second/fraction';
import { type MarketMeasures, type Measures, measureEpoch, measureToken } from '../../src/audit/second/measures';
import type { Policy } from '../../src/audit/second/policy';
import type { EpochRecord } from '../../src/audit/second/records';
import type { TableName } from '../../src/audit/second/tables';
import { instant, past, policyWith, rowsOf } from './world';

// Epoch 10 ends 1100 seconds after genesis; its season is 2, its window 6.
const TOKEN = [`10,dex,${instant(1100)},3,100`];
const REGISTRY = ['a,0,active,', 'b,0,suspended,', 'c,0,active,'];

function measure(
  lines: Partial<Record<TableName, string[]>>,
  history: EpochRecord[] = [],
  policy: Policy = policyWith(),
): Measures {
  const rows = rowsOf({ providers: REGISTRY, token: TOKEN, ...lines });
  const token = measureToken(10, rows, policy);
  if (token === undefined) throw new Error('no token price');
  return measureEpoch(10, rows, token, policy, history);
}

function market(measures: Measures, name: string): MarketMeasures {
  const found = measures.markets.find(({ market: candidate }) => candidate === name);
  if (found === undefined) throw new Error(`no market ${name}`);
  return found;
}

const text = (value: Fraction) => decimalText(value);

describe('S, U, D and N', () => {
  const capacity = ['10,a,gpu,5,3', '10,b,gpu,100,100', '10,c,gpu,2,0', '10,c,tpu,0,0'];

  test('suspended providers are left out of S, U and N', () => {
    const measures = measure({ capacity });
    const gpu = market(measures, 'gpu');
    expect([gpu.supply, gpu.used].map(text)).toEqual(['7', '3']);
    expect([...measures.activeProviders].sort()).toEqual(['a', 'c']);
  });

  test('an active provider that offers 0 everywhere is not one of the N', () => {
    expect(measure({ capacity: ['10,a,gpu,0,0', '10,c,gpu,1,0'] }).activeProviders).toEqual(new Set(['c']));
  });

  test('D is what was requested, and U without a demand row', () => {
    expect(text(market(measure({ capacity }), 'gpu').demand)).toBe('3');
    expect(text(market(measure({ capacity, demand: ['10,gpu,11'] }), 'gpu').demand)).toBe('11');
    expect(text(market(measure({ capacity, demand: ['10,gpu,0'] }), 'gpu').demand)).toBe('0');
  });

  test('a market without rows has S = U = D = 0 and means of 0', () => {
    const disk = market(measure({ capacity }), 'disk');
    expect([disk.supply, disk.used, disk.demand, disk.supplyMean, disk.familySlow].map(text)).toEqual(
      Array.from({ length: 5 }, () => '0'),
    );
  });
});

describe('means over history', () => {
  test('without history they are the current figures', () => {
    const gpu = market(measure({ capacity: ['10,a,gpu,5,3', '10,a,tpu,9,4'] }), 'gpu');
    expect([gpu.supplyMean, gpu.demandMean, gpu.familyFast, gpu.familySlow].map(text)).toEqual(['5', '3', '7', '7']);
  });

  test('ewma begins with the first figure and does not hold the current one', () => {
    const history = [8, 4, 2].map((supply, index) =>
      past(7 + index, { gpu: { supply: String(supply), demand: String(10 * supply) } }),
    );
    const gpu = market(measure({ capacity: ['10,a,gpu,500,300'] }, history), 'gpu');
    // alpha 0.5: 8, 6, 4. fast 0.8: 80, 48, 25.6. slow 0.2: 80, 72, 61.6.
    expect([gpu.supplyMean, gpu.demandMean, gpu.familyFast, gpu.familySlow].map(text)).toEqual([
      '4',
      '40',
      '25.6',
      '61.6',
    ]);
  });

  test('the first figure is not rounded, each mean after it is', () => {
    const volumes = (...texts: string[]) =>
      text(
        measure(
          { capacity: ['10,a,gpu,1,1'] },
          texts.map((tokenVolume, index) => past(5 + index, {}, { tokenVolume })),
        ).tokenVolumeMean,
      );
    expect(volumes('0.123456789012')).toBe('0.123456789012');
    // (0.123456789012 + 0.000000000001) / 2 = 0.0617283945065, half to even at nine decimals.
    expect(volumes('0.123456789012', '0.000000000001')).toBe('0.061728395');
  });

  test('the mean volume looks back over the window, and no epoch is a gap to it', () => {
    const volumes = ['1000', '64', '32', '16', '8', '4', '2'];
    const history = volumes.map((tokenVolume, index) => past(3 + index, {}, { tokenVolume }));
    // 64, 48, 32, 20, 12, 7.
    expect(text(measure({}, history).tokenVolumeMean)).toBe('7');
  });

  test('the window counts published epochs, gaps among them, and reaches no further back for them', () => {
    const history = [
      past(3, { gpu: { supply: '1000' } }),
      past(4, { gpu: { supply: '8' } }),
      past(5, { gpu: { supply: '0' } }),
      past(6, { tpu: {} }),
      past(7, { gpu: { supply: '100', demand: '0' }, tpu: { demand: '0' } }),
      past(8, { gpu: { supply: '4' } }),
      past(9, { gpu: { supply: '2', demand: '0' }, tpu: { demand: '1' } }),
    ];
    // Epochs 4 to 9 are in the window; 5 has no supply, 6 no price, in 7 everybody is idle: 8, 4, 2 remain.
    expect(text(market(measure({ capacity: ['10,a,gpu,1,1'] }, history), 'gpu').supplyMean)).toBe('4');
  });

  test('a gap of one market is no gap of its family', () => {
    const history = [
      past(7, { gpu: { supply: '0', demand: '3' }, tpu: { demand: '5' }, disk: { demand: '100' } }),
      past(8, { gpu: { supply: '0' }, tpu: { supply: '0' }, disk: { demand: '100' } }),
      past(9, { gpu: { demand: '0' }, tpu: { demand: '0' }, disk: { demand: '0' } }),
    ];
    const gpu = market(measure({ capacity: ['10,a,gpu,1,1'] }, history), 'gpu');
    expect([gpu.familyFast, gpu.familySlow].map(text)).toEqual(['8', '8']);
  });

  test("a family is what this epoch's policy puts there", () => {
    const history = [past(9, { gpu: { demand: '3' }, tpu: { demand: '5' }, disk: { demand: '7' } })];
    const moved = policyWith({ 'market/tpu/family': 'storage' });
    const measures = measure({ capacity: ['10,a,gpu,1,1'] }, history, moved);
    expect(text(market(measures, 'gpu').familyFast)).toBe('3');
    expect(text(market(measures, 'tpu').familyFast)).toBe('12');
  });
});

describe('forecast F', () => {
  const forecastAfter = (demands: [number, string][], now: string, policy?: Policy) => {
    const history = demands.map(([epoch, demand]) => past(epoch, { gpu: { demand }, tpu: { demand: '1' } }));
    const lines = { capacity: ['10,a,gpu,900,0'], demand: [`10,gpu,${now}`] };
    return text(market(measure(lines, history, policy), 'gpu').forecast);
  };

  test('moves D by the difference of the phase means', () => {
    // Phase of 10: 10, 20; of 11: 30, 33. 5 + 31.5 - 15.
    expect(
      forecastAfter(
        [
          [6, '10'],
          [7, '30'],
          [8, '20'],
          [9, '33'],
        ],
        '5',
      ),
    ).toBe('21.5');
  });

  test('is never below 0', () => {
    expect(
      forecastAfter(
        [
          [6, '30'],
          [7, '1'],
          [8, '30'],
          [9, '1'],
        ],
        '5',
      ),
    ).toBe('0');
  });

  test('takes the two means exactly', () => {
    // Means 1/3 and 2/3: rounded singly they would give 1.333333334.
    expect(
      forecastAfter(
        [
          [4, '0'],
          [5, '1'],
          [6, '0'],
          [7, '1'],
          [8, '1'],
          [9, '0'],
        ],
        '1',
      ),
    ).toBe('1.333333333');
  });

  test('is D with fewer than two seasons of history', () => {
    expect(
      forecastAfter(
        [
          [7, '30'],
          [8, '20'],
          [9, '33'],
        ],
        '5',
      ),
    ).toBe('5');
  });

  test('is D where a phase has no epoch', () => {
    expect(
      forecastAfter(
        [
          [2, '10'],
          [4, '30'],
          [6, '20'],
          [8, '33'],
        ],
        '5',
      ),
    ).toBe('5');
  });

  test('phases follow the number of the epoch, with gaps between', () => {
    // Season 2, epochs 1 and 3 in the phase of 11; 4 and 6 in that of 10: 5 + 30 - 15.
    expect(
      forecastAfter(
        [
          [1, '20'],
          [3, '40'],
          [4, '10'],
          [6, '20'],
        ],
        '5',
      ),
    ).toBe('20');
  });
});

describe("competitors' price C", () => {
  const capacity = ['10,a,gpu,1,1'];
  const competitor = (quotes: string[], history: EpochRecord[] = []) => {
    const found = market(measure({ capacity, quotes }, history), 'gpu').competitor;
    return found === undefined ? 'none' : `${text(found.price)} of ${found.epoch}`;
  };
  const own = (epoch: number, price: string) =>
    past(epoch, { gpu: { competitor: price, competitorEpoch: String(epoch) } });

  test('is the median of the medians of each source', () => {
    const quotes = ['10,gpu,x,1', '10,gpu,x,3', '10,gpu,x,100', '10,gpu,y,7', '10,gpu,z,9', '10,tpu,w,1000'];
    expect(competitor(quotes)).toBe('7 of 10');
  });

  test('needs as many sources, not quotes, as minQuotes', () => {
    expect(competitor(['10,gpu,x,1', '10,gpu,x,3'])).toBe('none');
    expect(competitor(['10,gpu,x,1', '10,gpu,y,3'])).toBe('2 of 10');
  });

  test('falls back to the newest that an epoch of the last season had from its own quotes', () => {
    const borrowed = past(9, { gpu: { competitor: '8', competitorEpoch: '8' } });
    expect(competitor([], [own(7, '7'), own(8, '8.5'), borrowed])).toBe('8.5 of 8');
    expect(competitor([], [own(8, '8'), own(9, '9')])).toBe('9 of 9');
  });

  test('does not fall back further than a season', () => {
    expect(competitor([], [own(7, '7')])).toBe('none');
    expect(competitor(['10,gpu,x,1'], [own(8, '8')])).toBe('8 of 8');
  });
});

describe('the network', () => {
  test('g looks at the oldest published epoch of the growth window', () => {
    const history = [
      past(5, {}, { activeProviders: 100 }),
      past(7, {}, { activeProviders: 4 }),
      past(9, {}, { activeProviders: 50 }),
    ];
    const capacity = ['10,a,gpu,1,1'];
    // growthWindow 4: epochs from 6 on. (1 - 4) / 4.
    expect(text(measure({ capacity }, history).growth)).toBe('-0.75');
    expect(text(measure({ capacity }, [past(6, {}, { activeProviders: 2 })]).growth)).toBe('-0.5');
    expect(text(measure({ capacity }, history.slice(0, 1)).growth)).toBe('0');
    expect(text(measure({ capacity }, [past(6, {}, { activeProviders: 0 })]).growth)).toBe('0');
  });

  test('macro is neutral without a row', () => {
    expect(text(measure({}).macro)).toBe('1');
    expect(text(measure({ macro: ['10,1.25'] }).macro)).toBe('1.25');
  });

  test('Pprev is the P0 of the last epoch that priced the market, however long ago, or basePrice', () => {
    const history = [
      past(0, { gpu: { base: '7' } }),
      past(1, { gpu: { base: '3', price: '5' } }),
      past(9, { tpu: {} }),
    ];
    const measures = measure({}, history);
    expect(text(market(measures, 'gpu').previous)).toBe('3');
    expect(text(market(measures, 'disk').previous)).toBe('2');
  });
});

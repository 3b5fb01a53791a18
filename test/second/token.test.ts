import { decimalText as text } from '../../src/audit/second/fraction';
import { measureToken } from '../../src/audit/second/measures';
import { instant, policyWith, rowsOf } from './world';

describe('token price T and volume V', () => {
  const token = (lines: string[], changes: Record<string, unknown> = {}) => {
    const found = measureToken(10, rowsOf({ token: lines }), policyWith(changes));
    return found === undefined ? 'none' : `${text(found.price)} ${text(found.volume)}`;
  };
  const at = (seconds: number, source: string, price: number, volume: number) =>
    `10,${source},${instant(seconds)},${price},${volume}`;

  test('both ends of the age count, a second beyond does not', () => {
    expect(token([at(1049, 'x', 7, 1), at(1050, 'x', 2, 5), at(1100, 'x', 4, 7), at(1101, 'x', 9, 1)])).toBe('3 6');
  });

  test('T is the median over sources, V the sum of their median volumes', () => {
    const lines = [at(1060, 'x', 1, 2), at(1061, 'x', 1, 4), at(1060, 'y', 5, 10), at(1060, 'z', 100, 100)];
    expect(token(lines)).toBe('5 113');
  });

  test('sources outside the age are no sources', () => {
    const lines = [at(1060, 'x', 1, 2), at(1000, 'y', 1, 2)];
    expect(token(lines, { 'tokenPrice/minSources': '2' })).toBe('none');
    expect(token(lines)).toBe('1 2');
  });
});

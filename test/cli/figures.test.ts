import { duration, percent, price, rounded, signedPercent, sparkline, tokens } from '../../src/cli/figures';

describe('figures for reading', () => {
  it('cuts tokens and never rounds them up', () => {
    expect(tokens('44999999999999999999999', 18)).toBe('44,999.9999');
    expect(tokens('0', 18)).toBe('0.0000');
    expect(tokens('1234567', 0)).toBe('1,234,567');
  });

  it('keeps five significant digits of a small price', () => {
    expect(price('0.000012345678')).toBe('0.000012346');
    expect(price('2.378')).toBe('2.3780');
    expect(price('0')).toBe('0.0000');
  });

  it('groups thousands and rounds half to even', () => {
    expect(rounded('1234567.125', 2)).toBe('1,234,567.12');
  });

  it('writes shares as percentages, with a sign where they are changes', () => {
    expect(percent('0.0123')).toBe('1.2 %');
    expect(signedPercent('0.05', 0)).toBe('+5 %');
    expect(signedPercent('-0.05', 0)).toBe('−5 %');
  });

  it('draws a course from its lowest to its highest figure', () => {
    expect(sparkline(['1', '2', '3'])).toBe('▁▅█');
    expect(sparkline(['2', '2'])).toBe('▄▄');
    expect(sparkline([])).toBe('');
  });

  it('says seconds as a person would', () => {
    expect([45, 360, 86_340, 86_400, 273_600].map(duration)).toEqual([
      '45 s',
      '6 min',
      '23 h 59 min',
      '24 h',
      '3 d 4 h',
    ]);
  });
});

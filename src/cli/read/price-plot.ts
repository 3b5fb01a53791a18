import { plot } from 'asciichart';
import type { Colors } from 'picocolors/types';
import { Decimal } from '../../numbers/decimal';
import { price, rounded } from '../figures';
import { heading } from './layout';

const HEIGHT = 10;
const AXIS_CHARS = 4;

interface Point {
  readonly epoch: number;
  readonly price: string;
}

/** The course of a price, one column an epoch; the newest epochs where the terminal is narrower than the course. */
export function pricePlot(series: readonly Point[], colors: Colors, width: number): string {
  const places = Math.max(...series.map((point) => decimalPlaces(price(point.price))));
  const labelChars = Math.max(...series.map((point) => rounded(point.price, places).length));
  const shown = series.slice(-Math.max(2, width - labelChars - AXIS_CHARS));
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined || shown.length < 2) {
    return colors.dim('  The plot begins with the second published epoch of this market.');
  }
  // Only for drawing: a character cell is far coarser than a double.
  const values = shown.map((point) => Number(point.price));
  const label = (value: number) => `  ${rounded(new Decimal(value).toFixed(), places).padStart(labelChars)}`;
  const flat = values.every((value) => value === values[0]);
  const chart = flat
    ? `${label(values[0] ?? 0)} ┤${'─'.repeat(shown.length)}`
    : plot(values, { height: HEIGHT, format: label });
  const axis = `${' '.repeat(labelChars + 2)}epoch ${first.epoch}${rightOf(first.epoch, last.epoch, shown.length)}`;
  const title = heading('Course', `USD, ${shown.length} published epochs`, colors);
  return [title, ...chart.split('\n').map((line) => colors.cyan(line.trimEnd())), colors.dim(axis)].join('\n');
}

const decimalPlaces = (text: string): number => text.split('.')[1]?.length ?? 0;

/** The last epoch's number below the end of the line. */
function rightOf(first: number, last: number, columns: number): string {
  const text = String(last);
  return text.padStart(Math.max(text.length + 1, columns + 1 - `epoch ${first}`.length));
}

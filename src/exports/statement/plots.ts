import { escaped, grouped } from './markup';

/**
 * Plots of figures over epochs as inline SVG: no script, nothing fetched. The drawing stretches with the page and its
 * words do not, since they are text beside it. Here a figure becomes a place on paper, so binary fractions are enough;
 * the exact figures are in the tables.
 */

export interface PlotPoint {
  readonly epoch: number;
  readonly value: number;
}

export interface PlotMark {
  readonly epoch: number;
  readonly value: number;
  readonly kind: 'revised' | 'paid' | 'gap';
}

export interface Plot {
  readonly id: string;
  readonly title: string;
  /** What the vertical axis counts in. */
  readonly unit: string;
  /** The course in a sentence, for those who do not see it. */
  readonly description: string;
  readonly first: number;
  readonly last: number;
  /** Ascending; an epoch that is not there is a gap. */
  readonly points: readonly PlotPoint[];
  readonly shape: 'bars' | 'line';
  readonly marks: readonly PlotMark[];
  /** Whether the axis begins with 0 whatever the figures are. */
  readonly fromZero: boolean;
  /** What stands under the axis at its two ends, and what more where there is room. */
  readonly ends: readonly [from: AxisEnd, to: AxisEnd];
}

export interface AxisEnd {
  readonly epoch: string;
  readonly time: string;
}

const WIDTH = 1000;
const HEIGHT = 100;
const TICKS = 4;

/** The figure with its drawing, axes and legend. `inset`: what belongs to it, such as its table. */
export function plotMarkup(plot: Plot, inset = ''): string {
  const axis = axisOf(plot);
  const place = placing(plot, axis);
  const lines = axis.ticks.map((tick) => `<path class="rule" d="M0 ${place.y(tick)}H${WIDTH}"/>`).join('');
  const labels = axis.ticks.map(
    (tick) => `<span style="bottom:${share(tick, axis)}%">${escaped(tickText(tick, axis.step))}</span>`,
  );
  const title = `${plot.id}-title`;
  const desc = `${plot.id}-desc`;
  const legend = legendOf(plot);
  return `<figure class="plot" id="${plot.id}">
<figcaption>${escaped(plot.title)} <span class="unit">${escaped(plot.unit)}</span>${legend}</figcaption>
<div class="frame">
<div class="ticks" aria-hidden="true">${labels.join('')}</div>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-labelledby="${title} ${desc}"><title id="${title}">${escaped(plot.title)}</title><desc id="${desc}">${escaped(plot.description)}</desc>
${lines}${courseOf(plot, place)}${marksOf(plot, place)}</svg>
<div class="ends" aria-hidden="true">${plot.ends.map(endMarkup).join('')}</div>
</div>${inset}
</figure>`;
}

const endMarkup = ({ epoch, time }: AxisEnd): string =>
  `<span>${escaped(epoch)}<small>, ${escaped(time)}</small></span>`;

interface Axis {
  readonly low: number;
  readonly high: number;
  readonly step: number;
  readonly ticks: readonly number[];
}

/** An axis over all figures that begins and ends with a round one. */
function axisOf({ points, marks, fromZero }: Plot): Axis {
  let low = fromZero ? 0 : Number.POSITIVE_INFINITY;
  let high = fromZero ? 0 : Number.NEGATIVE_INFINITY;
  for (const { value } of [...points, ...marks]) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (low === high)
    [low, high] = low === 0 ? [0, 1] : [Math.min(low, low * 0.9, low * 1.1), Math.max(low * 0.9, low * 1.1)];
  const step = roundStep((high - low) / TICKS);
  const from = Math.floor(low / step + 1e-9);
  const to = Math.ceil(high / step - 1e-9);
  return {
    low: from * step,
    high: to * step,
    step,
    ticks: Array.from({ length: to - from + 1 }, (_, index) => (from + index) * step),
  };
}

/** 1, 2 or 5 times a power of ten, not below `rough`. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}

function tickText(tick: number, step: number): string {
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = tick.toFixed(Math.min(12, places));
  return grouped(Number(text) === 0 ? '0' : text);
}

const share = (value: number, { low, high }: Axis): string => (((value - low) / (high - low)) * 100).toFixed(2);

interface Placing {
  readonly x: (epoch: number) => string;
  readonly y: (value: number) => string;
}

function placing({ first, last }: Plot, { low, high }: Axis): Placing {
  const epochs = last - first + 1;
  return {
    x: (epoch) => trimmed(((epoch - first) / epochs) * WIDTH),
    y: (value) => trimmed(HEIGHT - ((value - low) / (high - low)) * HEIGHT),
  };
}

const trimmed = (place: number): string => String(Number(place.toFixed(2)));

/** Each epoch has its own width; one that is missing leaves a gap. */
function courseOf({ points, shape }: Plot, { x, y }: Placing): string {
  let path = '';
  let area = '';
  let run = '';
  const close = () => {
    if (run === '') return;
    path += `M${run}`;
    run = '';
  };
  let next = Number.NaN;
  for (const { epoch, value } of points) {
    if (epoch !== next) close();
    run += run === '' ? `${x(epoch)} ${y(value)}` : `V${y(value)}`;
    run += `H${x(epoch + 1)}`;
    if (shape === 'bars') area += `M${x(epoch)} ${y(0)}V${y(value)}H${x(epoch + 1)}V${y(0)}Z`;
    next = epoch + 1;
  }
  close();
  const filled = area === '' ? '' : `<path class="area" d="${area}"/>`;
  return `${filled}<path class="course" d="${path}"/>`;
}

/** Round dots however the drawing is stretched: a line without length has round ends of its own width. */
function marksOf({ marks }: Plot, { x, y }: Placing): string {
  const kinds = ['gap', 'revised', 'paid'] as const;
  return kinds
    .map((kind) => {
      const dots = marks
        .filter((mark) => mark.kind === kind)
        .map(({ epoch, value }) => `M${x(epoch + 0.5)} ${y(value)}h0`);
      return dots.length === 0 ? '' : `<path class="dot ${kind}" d="${dots.join('')}"/>`;
    })
    .join('');
}

const LEGENDS = { revised: 'revised later', paid: 'payment', gap: 'not eligible' } as const;

function legendOf({ marks }: Plot): string {
  const kinds = [...new Set(marks.map(({ kind }) => kind))];
  return kinds.map((kind) => `<span class="key ${kind}">${LEGENDS[kind]}</span>`).join('');
}

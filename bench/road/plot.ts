import type { BenchResult } from './report';

/** Seconds over providers, both logarithmic, as SVG. */

const WIDTH = 720;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 190;
const TOP = 20;
const BOTTOM = 50;

interface Line {
  readonly label: string;
  readonly figure: string;
  readonly colour: string;
  readonly dash: string;
}

const LINES: readonly Line[] = [
  { label: 'start to end, with claims', figure: 'startToEndSeconds', colour: '#1b4f9c', dash: '' },
  { label: 'seal to published', figure: 'sealToPublishedSeconds', colour: '#2a8c4a', dash: '' },
  { label: 'floor', figure: 'floorSeconds', colour: '#444444', dash: '6 4' },
  { label: 'import', figure: 'importSeconds', colour: '#b3541e', dash: '' },
  { label: 'import by bare COPY', figure: 'floorImportSeconds', colour: '#b3541e', dash: '6 4' },
];

export function plotOf(results: readonly BenchResult[]): string {
  const points = LINES.map((line) => ({
    ...line,
    at: results.flatMap(({ options, figures }) => {
      const seconds = figures[line.figure];
      return seconds === null || seconds === undefined || seconds <= 0 ? [] : [{ x: options.providers, y: seconds }];
    }),
  })).filter(({ at }) => at.length > 0);
  const all = points.flatMap(({ at }) => at);
  if (all.length === 0) return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"></svg>\n`;
  const x = axis(
    all.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    all.map((point) => point.y),
    HEIGHT - BOTTOM,
    TOP,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<title>Seconds over providers, logarithmic</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...x.ticks.map(
      (tick) =>
        grid(x.at(tick), TOP, x.at(tick), HEIGHT - BOTTOM) + text(x.at(tick), HEIGHT - BOTTOM + 18, tick, 'middle'),
    ),
    ...y.ticks.map(
      (tick) => grid(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick)) + text(LEFT - 8, y.at(tick) + 4, tick, 'end'),
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">providers</text>`,
    `<text x="16" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 ${HEIGHT / 2})">seconds</text>`,
    ...points.map(({ at, colour, dash }) => {
      const path = at.map((point) => `${x.at(point.x).toFixed(1)},${y.at(point.y).toFixed(1)}`).join(' ');
      const dots = at.map(
        (point) => `<circle cx="${x.at(point.x).toFixed(1)}" cy="${y.at(point.y).toFixed(1)}" r="3" fill="${colour}"/>`,
      );
      return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>${dots.join('')}`;
    }),
    ...points.map(({ label, colour, dash }, index) => {
      const top = TOP + 20 + index * 22;
      const left = WIDTH - RIGHT + 14;
      return `<line x1="${left}" y1="${top}" x2="${left + 24}" y2="${top}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/><text x="${left + 30}" y="${top + 4}">${label}</text>`;
    }),
    '</svg>',
    '',
  ].join('\n');
}

interface Axis {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** A logarithmic axis over whole powers of ten. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return {
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
  };
}

function grid(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#dddddd"/>`;
}

function text(x: number, y: number, value: number, anchor: string): string {
  const shown = value >= 1000 ? String(value).replace(/\B(?=(\d{3})+$)/g, ',') : String(Number(value.toPrecision(2)));
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${shown}</text>`;
}

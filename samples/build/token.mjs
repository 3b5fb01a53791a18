/** The stand-in token and the macro index, from daily rows: hourly rows are readings of the day, not measurements. */
import { Decimal } from 'decimal.js';
import { EPOCH_COUNT, EPOCH_SECONDS, GENESIS, MACRO_BASKET, MACRO_DAYS, TOKEN } from './choices.mjs';

const HOURS_PER_DAY = 24;
const PRICE_DECIMALS = 12;
const INDEX_DECIMALS = 9;
const DAY_MS = 86_400_000;

Decimal.set({ precision: 60 });

/**
 * Rows of token.csv. Three readings of each day, observed at the end of the hour: a straight line from its opening to
 * its closing price, the closing price of the day before, and the middle of its range. They come from one series, so
 * they do not check each other; the day's volume is divided among them, so that it is counted once.
 */
export function tokenRows(sources) {
  const days = readDays(sources, TOKEN);
  const rows = [];
  for (let epoch = 0; epoch < EPOCH_COUNT; epoch++) {
    const start = Date.parse(GENESIS) + epoch * EPOCH_SECONDS * 1000;
    const at = days.indexOf(start);
    const day = days.row(at);
    const passed = new Decimal((epoch % HOURS_PER_DAY) + 1).div(HOURS_PER_DAY);
    const readings = {
      'daily-path': new Decimal(day.Open).plus(new Decimal(day.Close).minus(day.Open).times(passed)),
      'daily-previous-close': new Decimal(days.row(at - 1).Close),
      'daily-range-middle': new Decimal(day.High).plus(day.Low).div(2),
    };
    const observed = new Date(start + EPOCH_SECONDS * 1000).toISOString().replace('.000Z', 'Z');
    const volumes = divided(Number(day.Volume), Object.keys(readings).length);
    for (const [position, [name, price]] of Object.entries(readings).entries()) {
      const source = `${TOKEN.toLowerCase()}-${name}`;
      rows.push([epoch, source, observed, text(price, PRICE_DECIMALS), String(volumes[position])]);
    }
  }
  return rows;
}

/** Rows of macro.csv: the median, over the basket, of yesterday's close over the mean of the MACRO_DAYS closes up to it. */
export function macroRows(sources) {
  const basket = MACRO_BASKET.map((token) => readDays(sources, token));
  return Array.from({ length: EPOCH_COUNT }, (_, epoch) => {
    const start = Date.parse(GENESIS) + epoch * EPOCH_SECONDS * 1000;
    const ratios = basket.map((days) => {
      const yesterday = days.indexOf(start) - 1;
      const closes = Array.from({ length: MACRO_DAYS }, (_, back) => new Decimal(days.row(yesterday - back).Close));
      return closes[0].times(MACRO_DAYS).div(Decimal.sum(...closes));
    });
    const sorted = ratios.sort((a, b) => a.comparedTo(b));
    return [epoch, text(sorted[(sorted.length - 1) / 2], INDEX_DECIMALS)];
  });
}

/** Whole USD in equal parts; the first parts take what is over. */
function divided(usd, parts) {
  const over = usd % parts;
  return Array.from({ length: parts }, (_, part) => (usd - over) / parts + (part < over ? 1 : 0));
}

function readDays(sources, token) {
  const rows = sources.csv(`token/crypto-price/${token}-USD-1d.csv`);
  const positions = new Map(rows.map((row, position) => [row.Date, position]));
  return {
    row: (position) => rows[position],
    indexOf: (ms) => positions.get(new Date(ms - (ms % DAY_MS)).toISOString().slice(0, 10)),
  };
}

function text(value, decimals) {
  return value.toDecimalPlaces(decimals, Decimal.ROUND_HALF_EVEN).toFixed();
}

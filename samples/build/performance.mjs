/**
 * Performance: duties met and missed come from the validators of a staking test network, response times from a
 * database benchmark on cloud machines. Each validator stands in for one provider, and its address is the payee.
 */
import {
  EPOCH_COUNT,
  EPOCH_SECONDS,
  ERROR_RATE_HOURS,
  LAST_EPOCH,
  LATENCY_SERIES,
  ROCKETPOOL_INTERVALS,
  ROCKETPOOL_LAST_EPOCH_START,
} from './choices.mjs';
import { shareText } from './quantities.mjs';

const SLOTS_PER_DUTY = 32;
const SECONDS_PER_SLOT = 12;
const SECONDS_PER_DUTY = SLOTS_PER_DUTY * SECONDS_PER_SLOT;

/**
 * The validators of the replayed intervals by address: those in every interval, and those that came or went.
 * Every validator has one duty per 32 slots; a missed slot names the duty that was missed, and a duty belongs to the
 * epoch in which its 32 slots begin. `due` and `missed` count duties by epoch, from ERROR_RATE_HOURS before epoch 0.
 */
export function readValidators(sources) {
  const validators = new Map();
  for (const [position, number] of ROCKETPOOL_INTERVALS.entries()) {
    const interval = sources.json(`performance/rocketpool-testnet/rp-minipool-performance-testnet-${number}.json.gz`);
    const duties = dutiesOf(interval);
    for (const [address, record] of Object.entries(interval.minipoolPerformance)) {
      if (!validators.has(address)) validators.set(address, newValidator(address, position));
      addInterval(validators.get(address), interval, duties, record);
    }
  }
  const all = [...validators.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
  const isConstant = ({ intervals }) => intervals === ROCKETPOOL_INTERVALS.length;
  return { constant: all.filter(isConstant), changing: all.filter((one) => !isConstant(one)) };
}

function newValidator(address, firstInterval) {
  return { address, firstInterval, intervals: 0, due: new Map(), missed: new Map() };
}

/** Epoch of each duty of an interval, in order. */
function dutiesOf({ startTime, consensusStartBlock, consensusEndBlock }) {
  const lastEpochStart = Date.parse(ROCKETPOOL_LAST_EPOCH_START) / 1000;
  const start = Date.parse(startTime) / 1000;
  const count = Math.ceil((consensusEndBlock + 1 - consensusStartBlock) / SLOTS_PER_DUTY);
  return Array.from({ length: count }, (_, duty) => {
    const seconds = start + duty * SECONDS_PER_DUTY - lastEpochStart;
    return LAST_EPOCH + Math.floor(seconds / EPOCH_SECONDS);
  });
}

/** A validator with fewer duties than the interval has joined late: its duties are taken to be the last ones. */
function addInterval(validator, { consensusStartBlock }, duties, record) {
  validator.intervals += 1;
  const assigned = record.successfulAttestations + record.missedAttestations;
  for (const epoch of duties.slice(duties.length - assigned)) increment(validator.due, epoch);
  for (const slot of record.missingAttestationSlots) {
    increment(validator.missed, duties[Math.floor((slot - consensusStartBlock) / SLOTS_PER_DUTY)]);
  }
}

function increment(counts, key) {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** First epoch in which a validator had a duty; 0 for those that were there before. */
export function joinedEpoch(validator) {
  return Math.max(0, Math.min(...validator.due.keys()));
}

/** Response times in order of their start, one series per LATENCY_SERIES. */
export function readLatencies(sources) {
  return LATENCY_SERIES.map((series) =>
    sources
      .csv(`performance/azure-vm-noise/pgbench-2500-25c-rw-latency-ms.short.${series}.csv.gz`)
      .sort((a, b) =>
        a.starttime < b.starttime ? -1 : a.starttime > b.starttime ? 1 : Number(a.VM_id) - Number(b.VM_id),
      )
      .map((row) => row.value),
  );
}

/**
 * Rows of performance.csv. Uptime is the share of the hour's duties that were met, the error rate that of the duties
 * missed in ERROR_RATE_HOURS; a provider that met none of the hour's duties answered nobody: no response time.
 */
export function performanceRows(providers, latencies) {
  const rows = [];
  for (let epoch = 0; epoch < EPOCH_COUNT; epoch++) {
    for (const [position, { provider, validator }] of providers.entries()) {
      const due = validator.due.get(epoch) ?? 0;
      if (due === 0) continue;
      const missed = validator.missed.get(epoch) ?? 0;
      const response = missed === due ? '' : latencyOf(latencies, position, epoch, providers.length);
      rows.push([epoch, provider, shareText(due - missed, due), response, errorRate(validator, epoch), '']);
    }
  }
  return rows;
}

function errorRate(validator, epoch) {
  let due = 0;
  let missed = 0;
  for (let hour = epoch - ERROR_RATE_HOURS + 1; hour <= epoch; hour++) {
    due += validator.due.get(hour) ?? 0;
    missed += validator.missed.get(hour) ?? 0;
  }
  return shareText(missed, due);
}

/** The next measurement of the provider's series: every epoch deals one to each provider of the series. */
function latencyOf(latencies, position, epoch, providers) {
  const series = latencies[position % latencies.length];
  const perEpoch = Math.ceil(providers / latencies.length);
  return series[(epoch * perEpoch + Math.floor(position / latencies.length)) % series.length];
}

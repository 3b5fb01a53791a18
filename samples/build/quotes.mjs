/** Competitors' prices: the list in force at each epoch, moved in time by one offset for all three sources. */
import { Decimal } from 'decimal.js';
import { parse } from 'yaml';
import {
  AWS_CPU_TYPES,
  EPOCH_COUNT,
  EPOCH_SECONDS,
  GCP_CPU_TYPES,
  GCP_REGIONS,
  HOURS_PER_MONTH,
  PRICES_AT_GENESIS,
} from './choices.mjs';

const GPU_MARKETS = { 'gpu.v100': /^V100\b/, 'gpu.t4': /^T4\b/, 'gpu.p100': /^P100\b/ };
const AWS_GPU_MARKETS = { t4: 'gpu.t4', v100: 'gpu.v100' };
const GB_PER_TB = 1000;
const PRICE_DECIMALS = 12;

/** Rows of quotes.csv: every distinct price of a source for a market, repeated in each epoch in which it is in force. */
export function quoteRows(sources) {
  const lists = [fullStackLists(sources), gcpLists(sources), awsLists(sources)];
  const rows = [];
  for (let epoch = 0; epoch < EPOCH_COUNT; epoch++) {
    const now = Date.parse(PRICES_AT_GENESIS) + epoch * EPOCH_SECONDS * 1000;
    const inForce = lists.flatMap((dated) =>
      dated
        .filter(({ from }) => from <= now)
        .at(-1)
        .quotes(),
    );
    const distinct = [...new Set(inForce.map((quote) => quote.join(',')))].sort();
    rows.push(...distinct.map((line) => [epoch, ...line.split(',')]));
  }
  return rows;
}

function datedFiles(sources, folder, pattern) {
  const last = Date.parse(PRICES_AT_GENESIS) + EPOCH_COUNT * EPOCH_SECONDS * 1000;
  return sources
    .list(folder)
    .filter((name) => pattern.test(name))
    .map((name) => ({ path: `${folder}/${name}`, from: Date.parse(`${name.slice(0, 10)}T00:00:00Z`) }))
    .filter(({ from }) => from <= last);
}

function once(make) {
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

/** USD per GPU-hour of the machines of many clouds: the on-demand price over the GPUs of the machine. */
function fullStackLists(sources) {
  const files = datedFiles(sources, 'prices/full-stack-cloud-gpus', /^\d{4}.*\.cloud-gpus\.csv$/);
  return files.map(({ path, from }) => ({ from, quotes: once(() => fullStackQuotes(sources.csv(path))) }));
}

function fullStackQuotes(machines) {
  return machines.flatMap((machine) => {
    const market = Object.keys(GPU_MARKETS).find((name) => GPU_MARKETS[name].test(machine['GPU Type']));
    if (!market || machine['On-demand'] === '') return [];
    const price = new Decimal(machine['On-demand']).div(machine.GPUs);
    return [quote(market, machine.Cloud.toLowerCase().replace(/[^a-z0-9.]+/g, '-'), price)];
  });
}

/** Processor, disk and egress prices of one cloud in the chosen regions. */
function gcpLists(sources) {
  const files = datedFiles(sources, 'prices/gcp-pricing', /\.pricing\.yml\.gz$/);
  return files.map(({ path, from }) => ({ from, quotes: once(() => gcpQuotes(parse(sources.text(path)).compute)) }));
}

function gcpQuotes({ instance, storage, network }) {
  return GCP_REGIONS.flatMap((region) => {
    const perCpu = GCP_CPU_TYPES.flatMap((type) => {
      const { hour, hour_spot: spot } = instance[type].cost[region];
      const quotes = [quote('cpu', 'gcp', new Decimal(hour).div(instance[type].cpu))];
      if (spot !== undefined) quotes.push(quote('cpu', 'gcp-spot', new Decimal(spot).div(instance[type].cpu)));
      return quotes;
    });
    const disk = new Decimal(storage.local.cost[region].month).times(GB_PER_TB).div(HOURS_PER_MONTH);
    const egress = new Decimal(network.traffic.egress.internet.cost['0-1'][region].month);
    return [...perCpu, quote('storage.nvme', 'gcp', disk), quote('network.egress', 'gcp', egress)];
  });
}

/** On-demand prices of one cloud per processor and per GPU, from the moment they were read. */
function awsLists(sources) {
  const gpuTypes = sources.csv('supply-demand/aws-instance-types/gpu-instance-types.csv');
  const units = new Map(Object.entries(AWS_CPU_TYPES).map(([type, cpus]) => [type, { market: 'cpu', count: cpus }]));
  for (const type of gpuTypes.filter(({ gpu_name: name }) => AWS_GPU_MARKETS[name])) {
    units.set(type.instance_type, { market: AWS_GPU_MARKETS[type.gpu_name], count: type.gpu_count });
  }
  const lists = new Map();
  for (const row of sources.csv('prices/aws-ondemand/aws-ondemand-prices.csv.gz')) {
    const unit = units.get(row.instance_type);
    if (!unit) continue;
    if (!lists.has(row.generated_at)) lists.set(row.generated_at, []);
    lists.get(row.generated_at).push(quote(unit.market, 'aws', new Decimal(row.usd_per_hour).div(unit.count)));
  }
  return [...lists].sort().map(([at, quotes]) => ({ from: Date.parse(at), quotes: () => quotes }));
}

function quote(market, source, price) {
  return [market, source, price.toDecimalPlaces(PRICE_DECIMALS, Decimal.ROUND_HALF_EVEN).toFixed()];
}

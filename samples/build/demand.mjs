/** Demand of the six markets, and how it was served. */
import { EPOCH_COUNT } from './choices.mjs';
import { heliosRequested, servedByHelios } from './helios.mjs';
import { placePods, podsRequested, readRequests } from './pods.mjs';
import { MICRO, microText, microUnits } from './quantities.mjs';
import { offeredBy } from './supply.mjs';

const POD_MARKETS = ['cpu', 'gpu.p100', 'gpu.t4'];

/**
 * `served`: micro-units by provider, market and epoch; `requested`: micro-units by market and epoch.
 * Disk follows the GPUs (a job uses its GPUs' share of the machine's disk); egress is the queue of each T4 machine.
 */
export function replayDemand(sources, providers, tenants, assigned) {
  const served = new Map(providers.map(({ provider }) => [provider, new Map()]));
  const requested = new Map([['gpu.v100', heliosRequested(tenants)]]);
  const helios = providers.filter(({ market }) => market === 'gpu.v100');
  for (const [provider, hours] of servedByHelios(helios, tenants)) served.get(provider).set('gpu.v100', hours);

  const requests = readRequests(sources);
  const egress = new Map();
  for (const market of POD_MARKETS) {
    requested.set(market, podsRequested(requests, market));
    const placed = placePods(
      requests.filter((request) => request.market === market),
      providers.filter((machine) => machine.market === market),
    );
    for (const [provider, machine] of placed) {
      served.get(provider).set(market, machine.served);
      if (market === 'gpu.t4') egress.set(provider, machine.egress);
    }
  }
  requested.set('storage.nvme', addDisk(served, requested, providers, assigned));
  requested.set('network.egress', addEgress(served, egress, providers, assigned));
  return { served, requested };
}

function addDisk(served, requested, providers, assigned) {
  const share = (hours, perGpu) => hours.map((micro) => microUnits(micro * perGpu, MICRO * MICRO));
  for (const { provider, market } of providers.filter((machine) => assigned.has(machine.market))) {
    served.get(provider).set('storage.nvme', share(served.get(provider).get(market), assigned.get(market).disk));
  }
  const perMarket = [...assigned].map(([market, { disk }]) => share(requested.get(market), disk));
  return sumHours(perMarket);
}

/** What a machine cannot send in one hour waits for the next, and is asked for again: spec section 4. */
function addEgress(served, egress, providers, assigned) {
  const queues = [];
  for (const machine of providers.filter(({ provider }) => egress.has(provider))) {
    const perHour = offeredBy(machine, assigned).get('network.egress');
    let waiting = 0;
    const queue = [];
    const sent = [];
    for (const added of egress.get(machine.provider)) {
      queue.push(waiting + added);
      sent.push(Math.min(perHour, waiting + added));
      waiting = queue.at(-1) - sent.at(-1);
    }
    queues.push(queue);
    served.get(machine.provider).set('network.egress', sent);
  }
  return sumHours(queues);
}

function sumHours(series) {
  return Array.from({ length: EPOCH_COUNT }, (_, epoch) => series.reduce((sum, hours) => sum + hours[epoch], 0));
}

/** Rows of demand.csv. */
export function demandRows(requested) {
  const markets = [...requested.keys()].sort();
  return Array.from({ length: EPOCH_COUNT }, (_, epoch) =>
    markets.map((market) => [epoch, market, microText(requested.get(market)[epoch])]),
  ).flat();
}

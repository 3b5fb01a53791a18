/** Providers and their capacity: the machines of both clusters, each with one validator as its payee. */

import { Decimal } from 'decimal.js';
import {
  ASSIGNED_INSTANCE_TYPES,
  EGRESS_SHARE_OF_LINE_RATE,
  EPOCH_COUNT,
  EPOCH_SECONDS,
  NO_PAYEE_EVERY,
  SUSPENDED_EVERY,
} from './choices.mjs';
import { joinedEpoch } from './performance.mjs';
import { MICRO, microText } from './quantities.mjs';

const GB_PER_MBPS_HOUR = '0.45';

/**
 * Pairs machines with validators in order. Validators that came or went go to the last machines, so that this shows
 * in the market of those machines. Registry states that no source has are assigned by position.
 */
export function enlist(machines, { constant, changing }) {
  const validators = [...constant.slice(0, machines.length - changing.length), ...changing];
  if (validators.length !== machines.length) throw new Error('fewer validators than machines');
  return machines.map((machine, position) => {
    const validator = validators[position];
    const joined = joinedEpoch(validator);
    const suspended = position % SUSPENDED_EVERY.step === SUSPENDED_EVERY.offset;
    const payee = position % NO_PAYEE_EVERY.step === NO_PAYEE_EVERY.offset ? '' : validator.address;
    const status = suspended ? 'suspended' : 'active';
    return { ...machine, validator, joined, status, payee, opensAt: joined * EPOCH_SECONDS, closed: suspended };
  });
}

export function providerRows(providers) {
  return providers.map(({ provider, joined, status, payee }) => [provider, joined, status, payee]);
}

/** Local disk in micro-TB and egress in micro-GB an hour, per GPU, of the cloud machine assigned to a GPU market. */
export function readAssigned(sources) {
  const types = sources.csv('supply-demand/aws-instance-types/gpu-instance-types.csv');
  return new Map(
    Object.entries(ASSIGNED_INSTANCE_TYPES).map(([market, name]) => {
      const type = types.find((one) => one.instance_type === name);
      const perGpu = (value, factor) =>
        new Decimal(value).times(factor).div(type.gpu_count).times(MICRO).floor().toNumber();
      const egressFactor = new Decimal(GB_PER_MBPS_HOUR).times(EGRESS_SHARE_OF_LINE_RATE);
      return [market, { disk: perGpu(type.local_nvme_gb, '0.001'), egress: perGpu(type.network_mbps, egressFactor) }];
    }),
  );
}

/** What a machine offers in every hour, in micro-units per market. Egress is sold by the T4 machines alone. */
export function offeredBy({ market, gpus, milli }, assigned) {
  const own = market === 'cpu' ? (milli * MICRO) / 1000 : gpus * MICRO;
  const offered = new Map([[market, own]]);
  const perGpu = assigned.get(market);
  if (perGpu) offered.set('storage.nvme', perGpu.disk * gpus);
  if (market === 'gpu.t4') offered.set('network.egress', perGpu.egress * gpus);
  return offered;
}

/** Rows of capacity.csv from the served micro-units per provider and market. */
export function capacityRows(providers, assigned, served) {
  const rows = [];
  for (let epoch = 0; epoch < EPOCH_COUNT; epoch++) {
    for (const machine of providers.filter(({ joined }) => joined <= epoch)) {
      for (const [market, offered] of offeredBy(machine, assigned)) {
        const used = machine.closed ? 0 : served.get(machine.provider).get(market)[epoch];
        if (used > offered) throw new Error(`${machine.provider} serves more than it offers in epoch ${epoch}`);
        rows.push([epoch, machine.provider, market, microText(offered), microText(used)]);
      }
    }
  }
  return rows;
}

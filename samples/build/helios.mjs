/** Market gpu.v100: offered, served and asked for are all measured, per tenant and minute, by Helios Earth. */
import { EPOCH_COUNT, GENESIS, GPUS_PER_HELIOS_MACHINE, OPERATOR_ABOVE_GPUS } from './choices.mjs';
import { microUnits } from './quantities.mjs';

const FOLDER = 'usage-history/helios-earth';
const MINUTES = 60;
const HOURS_PER_DAY = 24;

/** Tenants with, per epoch, GPU-minutes supplied, running and pending. */
export function readTenants(sources) {
  const files = sources.list(FOLDER).filter((name) => name.endsWith('.cluster_sequence_vc.csv.gz'));
  return files.map((name) => readTenant(sources.text(`${FOLDER}/${name}`), name.split('.')[0]));
}

function readTenant(text, tenant) {
  const [header, ...lines] = text.trimEnd().split('\n');
  const columns = header.split(',');
  const at = (name) => columns.indexOf(name);
  const first = lines.findIndex((line) => line.startsWith(GENESIS.slice(0, 16).replace('T', ' ')));
  const hours = [];
  for (let epoch = 0; epoch < EPOCH_COUNT; epoch++) {
    const hour = { supplied: 0, running: 0, pending: 0 };
    for (const line of lines.slice(first + epoch * MINUTES, first + (epoch + 1) * MINUTES)) {
      const cells = line.split(',');
      hour.supplied += Number(cells[at('total_gpu_num')]);
      hour.running += Number(cells[at('running_gpu_num')]);
      hour.pending += Number(cells[at('pending_gpu_num')]);
    }
    hours.push(hour);
  }
  return { tenant, gpus: hours[0].supplied / MINUTES, hours };
}

/** The machines of the tenants: one operator for a large tenant, else one provider per 8 GPUs. */
export function heliosMachines(tenants) {
  return tenants.flatMap(({ tenant, gpus }) => {
    const machines = gpus > OPERATOR_ABOVE_GPUS ? 1 : gpus / GPUS_PER_HELIOS_MACHINE;
    return Array.from({ length: machines }, (_, index) => ({
      provider: machines === 1 ? `helios-${tenant}` : `helios-${tenant}-${String(index + 1).padStart(2, '0')}`,
      market: 'gpu.v100',
      gpus: gpus / machines,
      tenant,
      index,
    }));
  });
}

/**
 * Micro-GPU-hours served by each machine: the tenant's running GPUs fill its machines one after another, beginning
 * one machine further every day.
 */
export function servedByHelios(machines, tenants) {
  const served = new Map(machines.map((machine) => [machine.provider, []]));
  for (const { tenant, hours } of tenants) {
    const own = machines.filter((machine) => machine.tenant === tenant);
    hours.forEach((hour, epoch) => {
      let left = hour.running;
      const first = Math.floor(epoch / HOURS_PER_DAY);
      for (let step = 0; step < own.length; step++) {
        const machine = own[(first + step) % own.length];
        const minutes = Math.min(left, machine.gpus * MINUTES);
        left -= minutes;
        served.get(machine.provider)[epoch] = microUnits(minutes, MINUTES);
      }
      if (left > 0) throw new Error(`tenant ${tenant} runs more GPUs than it has in epoch ${epoch}`);
    });
  }
  return served;
}

/** Micro-GPU-hours asked for: running and pending GPUs of all tenants. */
export function heliosRequested(tenants) {
  return Array.from({ length: EPOCH_COUNT }, (_, epoch) =>
    microUnits(
      tenants.reduce((sum, { hours }) => sum + hours[epoch].running + hours[epoch].pending, 0),
      MINUTES,
    ),
  );
}

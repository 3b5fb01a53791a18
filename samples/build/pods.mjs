/**
 * Markets gpu.t4, gpu.p100, cpu and network: the pods of the Alibaba trace ask, its nodes offer. No source says which
 * node ran a pod, so pods are placed by a fixed rule: from a start that the pod's name decides, on the first node with
 * room; a pod larger than a node takes what is free on the nodes that follow.
 */
import { createHash } from 'node:crypto';
import { EPOCH_COUNT, EPOCH_SECONDS, NODE_SELECTIONS, POD_WINDOW_STARTS_SECONDS } from './choices.mjs';
import { microUnits } from './quantities.mjs';

const FOLDER = 'supply-demand/alibaba-gpu-v2023';
const MILLI_SECONDS_PER_UNIT_HOUR = 1000 * EPOCH_SECONDS;
const WINDOW_SECONDS = EPOCH_COUNT * EPOCH_SECONDS;
const MIB_BYTES = 1024 * 1024;
const GB_BYTES = 1_000_000_000;

/** The selected nodes, first of each kind in file order, capacity in milli-units of their market. */
export function openbMachines(sources) {
  const nodes = sources.csv(`${FOLDER}/openb_node_list_all_node.csv`);
  return NODE_SELECTIONS.flatMap(({ market, model, gpus, cpuMilli, count }) =>
    nodes
      .filter((node) => node.model === model && node.gpu === gpus && (!cpuMilli || node.cpu_milli === cpuMilli))
      .slice(0, count)
      .map((node) => ({
        provider: node.sn,
        market,
        gpus: Number(node.gpu),
        milli: market === 'cpu' ? Number(node.cpu_milli) : Number(node.gpu) * 1000,
      })),
  );
}

/** Requests of all windows: one per pod and market it asks, clipped to the window, in seconds from genesis. */
export function readRequests(sources) {
  const pods = sources.csv(`${FOLDER}/openb_pod_list_gpuspec33.csv`);
  return POD_WINDOW_STARTS_SECONDS.flatMap((start) => pods.flatMap((pod) => podRequests(pod, start)));
}

function podRequests(pod, start) {
  const gpuMarket = gpuMarketOf(pod);
  if (gpuMarket === 'elsewhere') return [];
  const ends = Number(pod.deletion_time) - start;
  const times = {
    created: Math.max(0, Number(pod.creation_time) - start),
    scheduled: pod.scheduled_time === '' ? null : Math.max(0, Number(pod.scheduled_time) - start),
    ended: Math.min(WINDOW_SECONDS, ends),
    endsInside: ends < WINDOW_SECONDS,
  };
  if (times.ended <= times.created) return [];
  const request = (market, milli) => ({ market, milli, name: pod.name, memoryMib: Number(pod.memory_mib), ...times });
  const requests = [request('cpu', Number(pod.cpu_milli))];
  if (gpuMarket !== 'none') requests.push(request(gpuMarket, Number(pod.num_gpu) * Number(pod.gpu_milli)));
  return requests;
}

/** T4 for pods that accept any model or a T4, P100 for those that accept it and no T4; other models are not sold here. */
function gpuMarketOf(pod) {
  if (pod.num_gpu === '0') return 'none';
  const accepted = pod.gpu_spec.split('|');
  if (pod.gpu_spec === '' || accepted.includes('T4')) return 'gpu.t4';
  return accepted.includes('P100') ? 'gpu.p100' : 'elsewhere';
}

/** Micro-unit-hours asked for per epoch, from creation to deletion, served or not. */
export function podsRequested(requests, market) {
  const perEpoch = new Array(EPOCH_COUNT).fill(0);
  for (const request of requests.filter((one) => one.market === market)) {
    addHours(perEpoch, request.milli, request.created, request.ended);
  }
  return perEpoch.map((milliSeconds) => microUnits(milliSeconds, MILLI_SECONDS_PER_UNIT_HOUR));
}

/**
 * Places the requests of one market on its machines. Returns per provider the micro-unit-hours served in each epoch
 * and the micro-GB that its pods carry out when they end (their memory's size, in the epoch of their end).
 */
export function placePods(requests, machines) {
  const states = machines.map((machine) => ({
    ...machine,
    free: machine.milli,
    busy: new Array(EPOCH_COUNT).fill(0),
    egressMib: new Array(EPOCH_COUNT).fill(0),
  }));
  const running = [];
  for (const request of inOrderOfStart(requests)) {
    release(running, request.scheduled);
    const parts = findRoom(states, request);
    for (const { state, milli } of parts) {
      state.free -= milli;
      addHours(state.busy, milli, request.scheduled, request.ended);
      insertByEnd(running, { state, milli, ended: request.ended });
    }
    if (parts.length > 0 && request.endsInside) {
      parts[0].state.egressMib[Math.floor(request.ended / EPOCH_SECONDS)] += request.memoryMib;
    }
  }
  return new Map(
    states.map(({ provider, busy, egressMib }) => [
      provider,
      {
        served: busy.map((milliSeconds) => microUnits(milliSeconds, MILLI_SECONDS_PER_UNIT_HOUR)),
        egress: egressMib.map((mib) => microUnits(mib * MIB_BYTES, GB_BYTES)),
      },
    ]),
  );
}

function inOrderOfStart(requests) {
  return requests
    .filter((request) => request.scheduled !== null && request.scheduled < request.ended && request.milli > 0)
    .sort((a, b) => a.scheduled - b.scheduled || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.ended - b.ended));
}

function release(running, until) {
  while (running.length > 0 && running[0].ended <= until) {
    const { state, milli } = running.shift();
    state.free += milli;
  }
}

function insertByEnd(running, part) {
  let at = running.length;
  while (at > 0 && running[at - 1].ended > part.ended) at--;
  running.splice(at, 0, part);
}

/** The machines that take a request, with what each takes; none where there is no room: then it is not served. */
function findRoom(states, { name, milli, scheduled }) {
  const open = states.filter((state) => state.opensAt <= scheduled && !state.closed);
  const first = createHash('sha256').update(name).digest().readUInt32BE(0) % open.length;
  const inTurn = open.map((_, step) => open[(first + step) % open.length]);
  const whole = inTurn.find((state) => state.free >= milli);
  if (whole) return [{ state: whole, milli }];
  const parts = [];
  let left = milli;
  for (const state of inTurn.filter((one) => one.free > 0)) {
    const part = Math.min(left, state.free);
    parts.push({ state, milli: part });
    left -= part;
    if (left === 0) return parts;
  }
  return [];
}

function addHours(perEpoch, milli, from, to) {
  for (let epoch = Math.floor(from / EPOCH_SECONDS); epoch * EPOCH_SECONDS < to; epoch++) {
    const begin = Math.max(from, epoch * EPOCH_SECONDS);
    const end = Math.min(to, (epoch + 1) * EPOCH_SECONDS);
    perEpoch[epoch] += milli * (end - begin);
  }
}

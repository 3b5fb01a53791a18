/**
 * Every choice that joins the sources into one network. Nothing here is measured: these are the
 * offsets, selections and assignments that README.md states, kept in one place so that each can be questioned.
 */

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 86400;

/** Epoch 0 begins here. Helios and the token series keep their own clock, so the sources' dates are the sample's. */
export const GENESIS = '2020-05-22T00:00:00Z';
export const EPOCH_SECONDS = HOUR_SECONDS;
/** Seven days and the hour of the outage. */
export const EPOCH_COUNT = 169;
export const LAST_EPOCH = EPOCH_COUNT - 1;

/** Tenants above this size stay one provider (one operator); the others are one provider per 8-GPU machine. */
export const OPERATOR_ABOVE_GPUS = 100;
export const GPUS_PER_HELIOS_MACHINE = 8;

/**
 * The pod list asks for 0.6 % of its cluster, so four 169-hour windows of it are laid over one another
 * (each hour keeps its hour of day) and a fixed part of the nodes is offered. Days count from the trace's zero.
 */
export const POD_WINDOW_STARTS_SECONDS = [116, 124, 132, 140].map((day) => day * DAY_SECONDS);

/** Nodes offered, in file order: GPU model, GPUs in the node, milli-vCPU of the node, how many. */
export const NODE_SELECTIONS = [
  { market: 'gpu.p100', model: 'P100', gpus: '2', count: 2 },
  { market: 'cpu', model: '', gpus: '0', cpuMilli: '32000', count: 96 },
  { market: 'gpu.t4', model: 'T4', gpus: '2', count: 104 },
];

/** A machine gets the local disk and line rate of the cloud machine with its GPU: an assignment, not a measurement. */
export const ASSIGNED_INSTANCE_TYPES = { 'gpu.v100': 'p3dn.24xlarge', 'gpu.t4': 'g4dn.xlarge' };

/** Share of the assigned line rate that a machine sells as egress; the rest serves its own jobs. */
export const EGRESS_SHARE_OF_LINE_RATE = '0.01';

/** Intervals replayed, in order: two days each, the last one four. The first also feeds the error rates of the first day. */
export const ROCKETPOOL_INTERVALS = [125, 126, 127, 128];
/** The start of the last epoch in the clock of the staking network: the first hour of its outage of 2026-01-08. */
export const ROCKETPOOL_LAST_EPOCH_START = '2026-01-08T23:45:00Z';
/** The error rate of an hour is taken over this many hours, itself included. */
export const ERROR_RATE_HOURS = 24;

/** One of the four short-lived VM series for every provider, dealt in turn. */
export const LATENCY_SERIES = ['eastus.B8ms', 'eastus.D8s_v5', 'westus2.B8ms', 'westus2.D8s_v5'];

/** Quotes: epoch 0 is this instant of the price lists; a list is in force from 00:00 UTC of its date. */
export const PRICES_AT_GENESIS = '2024-02-26T00:00:00Z';
/** One region per continent; the source's quote is the median of them. */
export const GCP_REGIONS = ['us-central1', 'europe-west1', 'asia-east1'];
export const GCP_CPU_TYPES = ['n2-standard-4', 'n2-standard-8', 'n2-standard-16'];
export const AWS_CPU_TYPES = {
  'm5.large': 2,
  'm5.xlarge': 4,
  'm5.2xlarge': 8,
  'm6i.large': 2,
  'm6i.xlarge': 4,
  'm6i.2xlarge': 8,
};
/** GCP's own month, the ratio of its monthly to its hourly prices. */
export const HOURS_PER_MONTH = 730;

/** The stand-in token, and the basket of the macro index. */
export const TOKEN = 'GLM';
export const MACRO_BASKET = ['FIL', 'GLM', 'STORJ'];
export const MACRO_DAYS = 30;

/** Registry states that no source has, so that a reader can see them: assigned by position in the list of machines. */
export const SUSPENDED_EVERY = { step: 100, offset: 80 };
export const NO_PAYEE_EVERY = { step: 50, offset: 45 };

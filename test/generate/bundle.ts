/**
 * Adversarial but valid input bundles with a policy, from a seed: the same seed and options always give the same
 * texts. They are for differential and property tests of the settlement, not for looking like a real network.
 */
import { stringify } from 'yaml';
import { generatePolicy } from './policy';
import { type Random, seededRandom } from './random';
import { CIRCUMSTANCES, type Circumstance, type GeneratedProvider, generateRows, type TableRows } from './rows';

export interface BundleOptions {
  /** Providers in the registry; a handful by default. */
  providers?: number;
  /** Epochs from the lowest to the highest; 12 to 40 by default. */
  epochs?: number;
  markets?: number;
  /** Every epoch of this kind, instead of a mixture. */
  circumstance?: Circumstance;
}

export interface GeneratedBundle {
  files: Record<keyof TableRows, string>;
  policyYaml: string;
}

const HEADERS: Record<keyof TableRows, string[]> = {
  providers: ['provider', 'joined_epoch', 'status', 'payee'],
  capacity: ['epoch', 'provider', 'market', 'offered', 'served'],
  performance: ['epoch', 'provider', 'uptime', 'response_ms', 'error_rate', 'rating'],
  demand: ['epoch', 'market', 'requested'],
  quotes: ['epoch', 'market', 'source', 'usd_per_unit'],
  token: ['epoch', 'source', 'observed_at', 'price_usd', 'volume_usd'],
  macro: ['epoch', 'index'],
};

// All the characters that an identifier may have, orders that differ from a locale's, and names of object members.
const PROVIDER_NAMES = [
  'a',
  'B',
  'a.b',
  'a-b',
  'a:b',
  'a_b',
  'aa',
  'Z',
  '__proto__',
  'constructor',
  '0',
  '00',
  '10',
  '9',
  '-',
  '.',
  `${'x'.repeat(127)}9`,
];

function providerNames(random: Random, count: number): string[] {
  const names = random.shuffled(PROVIDER_NAMES).slice(0, count);
  while (names.length < count) names.push(`node-${names.length}`);
  return names;
}

function address(random: Random): string {
  // The first digit keeps it from being the zero address.
  const digits = Array.from({ length: 39 }, () => random.integer(0, 15).toString(16));
  return `0x${random.integer(1, 15).toString(16)}${digits.join('')}`;
}

function generateProviders(random: Random, count: number, first: number, last: number): GeneratedProvider[] {
  const payees = Array.from({ length: Math.max(1, Math.ceil(count / 2)) }, () => address(random));
  return providerNames(random, count).map((id, index) => ({
    id,
    joined: index === 0 || !random.oneIn(4) ? random.integer(0, first) : random.integer(first, last),
    status: index > 0 && random.oneIn(8) ? 'suspended' : 'active',
    payee: random.oneIn(5) ? '' : random.pick(payees),
  }));
}

/** The circumstance of one epoch; the first two are ordinary, so that there is something to look back on. */
function circumstanceOf(index: number, random: Random): Circumstance {
  if (index < 2 || random.oneIn(2)) return 'ordinary';
  return random.pick(CIRCUMSTANCES);
}

/** The same row in another spelling of its numbers: a repeated row that counts once. */
function respelt(cells: string[], header: string[]): string[] {
  const numbers = ['offered', 'served', 'uptime', 'requested', 'usd_per_unit', 'price_usd', 'index'];
  return cells.map((cell, index) => {
    if (!numbers.includes(header[index] as string) || cell === '') return cell;
    return cell.includes('.') ? `${cell}0` : `${cell}.0`;
  });
}

function tableText(name: keyof TableRows, rows: string[][], random: Random): string {
  const header = HEADERS[name];
  const repeated = rows.filter(() => random.oneIn(25)).map((row) => (random.oneIn(2) ? row : respelt(row, header)));
  const ordered = random.oneIn(3) ? [...rows, ...repeated] : random.shuffled([...rows, ...repeated]);
  const quotes = random.oneIn(4);
  const written = (cell: string) => (quotes && random.oneIn(6) ? `"${cell}"` : cell);
  const end = random.oneIn(3) ? '\r\n' : '\n';
  return [header.join(','), ...ordered.map((row) => row.map(written).join(','))]
    .map((line) => `${line}${end}`)
    .join('');
}

/** The rows of all epochs, each under its circumstance, and the policy as YAML. */
function gatherRows(random: Random, options: BundleOptions): { rows: TableRows; policyYaml: string } {
  const epochs = options.epochs ?? random.integer(12, 40);
  const count = options.providers ?? random.integer(1, 12);
  const policy = generatePolicy(random, options.markets ?? random.integer(1, 5), count);
  const first = random.pick([0, 1, 5, 17, 430]);
  const last = first + epochs - 1;
  const providers = generateProviders(random, count, first, last);
  const rows: TableRows = {
    providers: providers.map(({ id, joined, status, payee }) => [id, String(joined), status, payee]),
    capacity: [],
    performance: [],
    demand: [],
    quotes: [],
    token: [],
    macro: [],
  };
  // From a token worth a millionth of a cent to one worth a house.
  let tokenPrice = 10n ** BigInt(random.pick([2, 8, 10, 11, 12, 13, 17]));
  for (let epoch = first; epoch <= last; epoch += 1) {
    // The ends have rows always, so that the bundle has as many epochs as were asked for.
    const isEnd = epoch === first || epoch === last;
    const mixed = isEnd ? 'ordinary' : circumstanceOf(epoch - first, random);
    const circumstance = options.circumstance ?? mixed;
    tokenPrice = (tokenPrice * BigInt(random.pick([90, 97, 100, 103, 111, 140]))) / 100n || 1n;
    const more = generateRows({ epoch, circumstance, policy, providers, tokenPrice }, random);
    for (const name of Object.keys(rows) as (keyof TableRows)[]) rows[name].push(...more[name]);
  }
  const policyYaml = stringify(policy.document, {
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    aliasDuplicateObjects: false,
    lineWidth: 0,
  });
  return { rows, policyYaml };
}

/** A valid bundle of the seven CSV texts and a valid policy (spec §2, §3). */
export function generateBundle(seed: number, options: BundleOptions = {}): GeneratedBundle {
  const random = seededRandom(seed);
  const { rows, policyYaml } = gatherRows(random, options);
  const names = Object.keys(HEADERS) as (keyof TableRows)[];
  const files = Object.fromEntries(names.map((name) => [name, tableText(name, rows[name], random)]));
  return { files: files as GeneratedBundle['files'], policyYaml };
}

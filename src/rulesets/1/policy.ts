import type { z } from 'zod';
import { compareBytes } from '../../numbers/patterns';
import { PolicyError, type PolicyProblem } from './errors';
import { problemsBetweenKeys } from './policy-rules';
import { marketName, marketSchema, policySchema } from './policy-schema';

type Parsed = z.output<typeof policySchema>;
type ParsedEpoch = Omit<Parsed['epoch'], 'genesis'>;

/** One market of a policy; prices in USD per unit-hour. */
export type MarketPolicy = z.output<typeof marketSchema> & { readonly market: string };

/** JSON of the policy file, strings as written: what is hashed (RFC 8785, SHA-256) and stored (spec §2). */
export type PolicyDocument = Readonly<Record<string, unknown>>;

/** A valid policy of ruleset 1 (spec §2): numbers parsed, keys as in the document unless said otherwise. */
export type Policy = Readonly<Omit<Parsed, 'market' | 'epoch'>> & {
  readonly epoch: ParsedEpoch & { readonly genesis: string; readonly genesisSeconds: number };
  /** The document's `market`, in the order of the names' bytes. */
  readonly markets: ReadonlyMap<string, MarketPolicy>;
  readonly document: PolicyDocument;
};

/** Points (x, y) of a piecewise linear curve, x ascending. */
export type CurvePoints = Policy['rewards']['performance']['multiplier'];

/**
 * Validates a policy document in full (spec §2).
 *
 * @param document JSON value as read from the file, numbers as text
 * @throws PolicyError with every problem, each named by its path
 */
export function parsePolicy(document: unknown): Policy {
  const parsed = policySchema.safeParse(document, { error: wordsOf, reportInput: true });
  const markets = parseMarkets(document);
  const problems = [
    ...(parsed.error?.issues.flatMap((issue) => problemsOf(issue, [])) ?? []),
    ...markets.problems,
    ...problemsBetweenKeys(document),
  ];
  if (!parsed.success || problems.length > 0) throw new PolicyError(problems);
  const { market: _, epoch, ...rest } = parsed.data;
  const { genesis, ...times } = epoch;
  return Object.freeze({
    ...rest,
    epoch: Object.freeze({ ...times, genesis: genesis.text, genesisSeconds: genesis.seconds }),
    markets: markets.parsed,
    document: document as PolicyDocument,
  });
}

/** Markets one by one: zod leaves a key `__proto__` out of a record unseen, and as a market's name it is valid. */
function parseMarkets(document: unknown): { parsed: Map<string, MarketPolicy>; problems: PolicyProblem[] } {
  const parsed = new Map<string, MarketPolicy>();
  const problems: PolicyProblem[] = [];
  const markets = (document as { market?: unknown } | null | undefined)?.market;
  if (typeof markets !== 'object' || markets === null || Array.isArray(markets)) return { parsed, problems };
  for (const [market, entry] of Object.entries(markets).sort(([left], [right]) => compareBytes(left, right))) {
    const name = marketName.safeParse(market);
    for (const issue of name.error?.issues ?? []) problems.push({ path: `market.${market}`, message: issue.message });
    const rules = marketSchema.safeParse(entry, { error: wordsOf, reportInput: true });
    if (rules.success) parsed.set(market, Object.freeze({ market, ...rules.data }));
    else problems.push(...rules.error.issues.flatMap((issue) => problemsOf(issue, ['market', market])));
  }
  return { parsed, problems };
}

const UNKNOWN_KEY = 'is an unknown key: correct its spelling or remove it';

function problemsOf(issue: z.core.$ZodIssue, prefix: readonly string[]): PolicyProblem[] {
  const path = [...prefix, ...issue.path.map(String)];
  if (issue.code !== 'unrecognized_keys') return [{ path: path.join('.'), message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: UNKNOWN_KEY }));
}

/** Words for what zod finds by itself; the schema's own rules bring theirs. */
function wordsOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing';
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'string') return `must be text in quotes, is ${kindOf(issue.input)}`;
    return `must be ${EXPECTED[issue.expected] ?? issue.expected}, is ${kindOf(issue.input)}`;
  }
  if (issue.code === 'invalid_value') return `must be ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${itemsOf(issue.origin)}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${itemsOf(issue.origin)}`;
  return undefined;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a group of keys',
  array: 'a list',
  tuple: 'a pair [x, y]',
  int: 'an integer',
  number: 'an integer without quotes',
};

function itemsOf(origin: string): string {
  return origin === 'array' ? ' values' : '';
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = String(value);
  return `the ${typeof value} ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
}

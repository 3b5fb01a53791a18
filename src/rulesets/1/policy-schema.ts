import { z } from 'zod';
import { Decimal, NumberTextError, parseDecimalText } from '../../numbers/decimal';
import { IDENTIFIER_PATTERN } from '../../numbers/patterns';
import type { Ratio, UsdPrice } from '../../numbers/units';
import { parseInstant } from './calendar';

/**
 * Shape of a policy document and the rules that concern one key alone (spec §2). Rules between keys are in
 * `policy-rules.ts`.
 *
 * Two limits are ours and not the specification's: a number has at most 30 digits before the point and a count is at
 * most 2^53 - 1, so that amounts fit their database columns and counts fit a `number`.
 */
const MAX_INTEGER_DIGITS = 30;
const MAX_TOKEN_DECIMALS = 36;

interface Limits {
  readonly decimals?: number;
  readonly atLeast?: number;
  readonly above?: number;
  readonly atMost?: number;
  readonly below?: number;
}

/** A number within limits; what is wrong with it, or null. */
function outOfLimits(x: Decimal, limits: Limits): string | null {
  if (limits.above !== undefined && !x.greaterThan(limits.above)) return `must be above ${limits.above}`;
  if (limits.atLeast !== undefined && x.lessThan(limits.atLeast)) return `must be at least ${limits.atLeast}`;
  if (limits.below !== undefined && !x.lessThan(limits.below)) return `must be below ${limits.below}`;
  if (limits.atMost !== undefined && x.greaterThan(limits.atMost)) return `must be at most ${limits.atMost}`;
  return null;
}

/** A number as text, parsed; its decimals and limits checked. */
function decimal(limits: Limits) {
  return z.string().transform((text, context): Decimal => {
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    try {
      const x = parseDecimalText(text, limits.decimals ?? 9);
      if (x.abs().greaterThanOrEqualTo(`1e${MAX_INTEGER_DIGITS}`)) {
        return refuse(`must have at most ${MAX_INTEGER_DIGITS} digits before the point`);
      }
      const reason = outOfLimits(x, limits);
      return reason === null ? x : refuse(`${reason}, is ${text}`);
    } catch (error) {
      if (error instanceof NumberTextError) return refuse(error.message);
      throw error;
    }
  });
}

const ratio = (limits: Limits) => decimal(limits).transform((x) => x as Ratio);

const usdPrice = () => decimal({ decimals: 12, above: 0 }).transform((x) => x as UsdPrice);

/** An integer as text: trailing zeros after a point do not count, as everywhere (spec §2). */
function count(atLeast: 0 | 1) {
  return z.string().transform((text, context): number => {
    const parsed = decimal({ decimals: 0, atLeast }).safeParse(text);
    const reason = parsed.success ? null : (parsed.error.issues[0]?.message ?? 'is no integer');
    if (reason === null && parsed.data?.lessThanOrEqualTo(Number.MAX_SAFE_INTEGER)) return parsed.data.toNumber();
    const message = reason ?? `must be at most ${Number.MAX_SAFE_INTEGER}, is ${text}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/** Labels are hashed and stored as written: only what UTF-8 or the database cannot hold is refused. */
const label = () =>
  z.string().refine((text) => !/[\p{Surrogate}\0]/u.test(text), 'must be Unicode text without NUL characters');

const notNegative = () => ratio({ atLeast: 0 });
const positive = () => ratio({ above: 0 });
const share = () => ratio({ atLeast: 0, atMost: 1 });
const shareAboveZero = () => ratio({ above: 0, atMost: 1 });
const openShare = () => ratio({ above: 0, below: 1 });
const curve = () =>
  z
    .array(z.tuple([notNegative(), notNegative()]).readonly())
    .min(1, 'must have at least one point')
    .readonly();

const genesis = z.string().transform((text, context) => {
  const seconds = parseInstant(text);
  if (seconds !== null) return { text, seconds };
  context.addIssue({ code: 'custom', message: 'must be a real instant of the form YYYY-MM-DDTHH:MM:SSZ' });
  return z.NEVER;
});

export const marketSchema = z
  .strictObject({
    family: z.enum(['compute', 'storage', 'network']),
    unit: label(),
    basePrice: usdPrice(),
    floor: usdPrice(),
    ceiling: usdPrice(),
    targetUtilisation: openShare(),
    standbyShare: share(),
  })
  .readonly();

/** Markets have names that collide with an object's own (`__proto__`), so each is parsed by itself. */
export const marketName = z
  .string()
  .regex(IDENTIFIER_PATTERN, 'a market is named with 1 to 128 of A-Z a-z 0-9 . _ : -');

const pricingSchema = z
  .strictObject({
    maxStep: openShare(),
    weights: z
      .strictObject({
        supply: notNegative(),
        demand: notNegative(),
        marketConditions: notNegative(),
        availableCapacity: notNegative(),
        providerGrowth: notNegative(),
        usagePatterns: notNegative(),
        competition: notNegative(),
        marketTrends: notNegative(),
      })
      .readonly(),
    marketConditions: z
      .strictObject({ tradingActivityWeight: notNegative(), macroWeight: notNegative(), macroRange: positive() })
      .readonly(),
    providerGrowth: z.strictObject({ target: ratio({}), range: positive() }).readonly(),
    peakDemand: z.strictObject({ threshold: notNegative(), full: notNegative(), premium: notNegative() }).readonly(),
    competition: z.strictObject({ minQuotes: count(1), bandLow: notNegative(), bandHigh: notNegative() }).readonly(),
  })
  .readonly();

const growthPhase = z
  .strictObject({ name: label(), belowProviders: count(1).optional(), multiplier: notNegative() })
  .transform(({ name, belowProviders, multiplier }) => ({ name, belowProviders: belowProviders ?? null, multiplier }));

const performanceSchema = z
  .strictObject({
    minimumUptime: share(),
    weights: z
      .strictObject({ uptime: positive(), responseTime: positive(), errorRate: positive(), userRating: positive() })
      .readonly(),
    curves: z
      .strictObject({ uptime: curve(), responseTime: curve(), errorRate: curve(), userRating: curve() })
      .readonly(),
    missingScore: z.strictObject({ responseTime: share(), errorRate: share(), userRating: share() }).readonly(),
    multiplier: curve(),
  })
  .readonly();

const rewardsSchema = z
  .strictObject({
    sensitivity: z
      .strictObject({ marketConditions: share(), networkDemand: share(), resourceAvailability: share() })
      .readonly(),
    networkMultiplier: z.strictObject({ min: notNegative(), max: notNegative() }).readonly(),
    growthPhases: z.array(growthPhase.readonly()).min(1, 'must have at least one phase').readonly(),
    performance: performanceSchema,
  })
  .readonly();

const breakersSchema = z
  .strictObject({
    priceChange: notNegative(),
    totalChange: notNegative(),
    supplyDrop: notNegative(),
    topShare: notNegative(),
    belowMinimumUptimeShare: notNegative(),
    tokenMove: notNegative(),
    overServed: notNegative(),
    unmeasuredShare: notNegative(),
  })
  .readonly();

/** Everything but the markets, which are parsed one by one. */
export const policySchema = z
  .strictObject({
    ruleset: z.literal(1),
    name: label(),
    token: z.strictObject({ symbol: label(), decimals: z.int().min(0).max(MAX_TOKEN_DECIMALS) }).readonly(),
    epoch: z
      .strictObject({
        genesis,
        lengthSeconds: count(1),
        graceSeconds: count(0),
        inputDeadlineSeconds: count(0),
        holdSeconds: count(1),
      })
      .readonly(),
    history: z
      .strictObject({
        window: count(1),
        season: count(1),
        alpha: shareAboveZero(),
        fastAlpha: shareAboveZero(),
        slowAlpha: shareAboveZero(),
        growthWindow: count(1),
      })
      .readonly(),
    market: z.looseObject({}),
    pricing: pricingSchema,
    rewards: rewardsSchema,
    pool: z.strictObject({ perEpoch: notNegative(), decay: shareAboveZero(), decayEpochs: count(1) }).readonly(),
    caps: z.strictObject({ providerShare: shareAboveZero() }).readonly(),
    tokenPrice: z
      .strictObject({ minSources: count(1), maxAgeSeconds: count(0), maxSourceDeviation: notNegative() })
      .readonly(),
    breakers: breakersSchema,
  })
  .readonly();

import { z } from 'zod';

/**
 * The form of an audit bundle. A file from a stranger is looked at before anything is computed from it: what is of
 * another form, or could only be meant to exhaust whoever verifies it, is refused by the path of its part.
 */

/** As of a record of a table that is imported; a line of the prices table has forty cells. */
const LONGEST_LINE = 65_536;
/** Of the text of a policy or a chain entry. */
const LONGEST_TEXT = 2 ** 20;
/** PostgreSQL's integer, in which epochs are kept. */
const HIGHEST_EPOCH = 2_147_483_647;

const text = z.string().max(LONGEST_TEXT);
const digest = z.string().max(128);
const line = z.string().max(LONGEST_LINE);
const lines = z.array(line);
const epoch = z.int().min(0).max(HIGHEST_EPOCH);
const number = z.int().min(0).max(HIGHEST_EPOCH);
const moments = z.string().max(LONGEST_LINE).nullable();
/** Decimals are written out: an exponent would make of ten characters a number of a billion digits. */
const decimal = z.string().regex(/^-?[0-9.]{1,1000}$/, 'is no plain decimal');
const priceLine = line.regex(/^[^,]*(,[-0-9.]{0,1000})*$/, 'has a cell that is no plain decimal');

const rows = z.strictObject({
  providers: lines,
  capacity: lines,
  performance: lines,
  demand: lines,
  quotes: lines,
  token: lines,
  macro: lines,
});

const derivation = z.looseObject({
  epoch,
  network: z.looseObject({
    tokenPrice: decimal,
    tokenSources: z.array(z.looseObject({ source: line, priceUsd: decimal })),
    tokenVolume: decimal,
    tokenVolumeMean: decimal,
    macro: decimal,
  }),
  growthPhase: line,
  pool: decimal,
  cap: decimal,
});

const breaker = z.looseObject({ id: line, figure: line, limit: line });

const decision = {
  decision: moments,
  decidedDigest: moments,
  decidedBy: moments,
};

const revision = z.looseObject({
  network: line,
  epoch,
  revision: number,
  computation: number,
  firstEpoch: epoch,
  policy: z.strictObject({ hash: digest, canonical: text }),
  sealedPolicyHash: digest,
  rows,
  snapshot: z.looseObject({
    snapshotDigest: digest,
    tableDigests: z.record(line, digest),
    rowCounts: z.record(line, number),
    chunks: z.array(
      z.looseObject({
        after: moments,
        upTo: moments,
        providers: number,
        digests: z.record(line, digest),
      }),
    ),
  }),
  header: z.looseObject({
    ruleset: number,
    policyHash: digest,
    snapshotDigest: digest,
    historyDigest: digest,
    history: z.array(z.tuple([epoch, number, digest])),
    previousEpoch: epoch.nullable(),
    derivation,
    dispute: number,
  }),
  links: z.tuple([number, number]),
  reads: z.array(line),
  readsOlder: z.array(line),
  base: z
    .looseObject({ computation: number, derive: z.enum(['pinned', 'full']), derivation, payouts: lines })
    .nullable(),
  payouts: lines,
  result: z.looseObject({
    content: text,
    contentDigest: digest,
    breakers: z.array(breaker),
    wouldTrip: z.array(breaker),
    unallocatedReason: line,
    payoutCount: number,
  }),
  followedBy: moments,
  claims: z.looseObject({
    otherPayees: z.record(line, line),
    before: z.array(z.tuple([line, line, line])),
    stored: z.array(z.tuple([line, line, line])).nullable(),
  }),
  postings: z.array(z.looseObject({ account: line, amount: line })),
  approval: z.looseObject({
    hold: z.looseObject({ contentDigest: digest, askedBy: line, deadline: line, ...decision }).nullable(),
    dispute: z.looseObject({ openedBy: line, reason: line, ...decision }).nullable(),
  }),
  failedBelow: z.array(epoch),
  archive: z
    .looseObject({ workflowId: line, runId: line, sha256: digest, json: z.string(), bundleHash: digest.nullable() })
    .nullable(),
});

export const bundleSchema = z.looseObject({
  network: line,
  epoch,
  entries: z.array(z.looseObject({ position: number, entry: text, head: digest })).min(1),
  prices: z.record(line, z.array(priceLine)),
  revisions: z.array(revision).min(1),
});

/** Decays of the pool that are computed at most: each is a multiplication of ever longer numbers. */
const MOST_DECAYS = 100_000;

/** Whether a policy asks for more arithmetic than any that settles epochs. */
export function tooManyDecays(canonical: string, of: number): boolean {
  try {
    const { pool } = JSON.parse(canonical) as { pool?: { decayEpochs?: string } };
    return of / Number(pool?.decayEpochs) > MOST_DECAYS;
  } catch {
    // No policy at all: check `policy` says so.
    return false;
  }
}

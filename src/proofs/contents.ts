import { isDigest } from './digests';
import { ProofError } from './errors';

/**
 * The two kinds of content that a chain holds (spec §9), with exactly their keys. Building one checks every field: a
 * content is digested, approved and published by its digest, so nothing may slip in that the specification lacks.
 */

/** What one revision of one epoch says. Amounts in base units, decimals in plain shortest form, all as text. */
export interface RevisionContent {
  readonly kind: 'revision';
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly ruleset: number;
  readonly policyHash: string;
  readonly snapshotDigest: string;
  readonly pricesDigest: string;
  readonly payoutsDigest: string;
  readonly activeProviders: number;
  readonly growthPhase: string;
  readonly tokenPrice: string;
  readonly tokenVolume: string;
  readonly macro: string;
  readonly pool: string;
  readonly sum: string;
  readonly unallocated: string;
}

/** What payees may have claimed in all after a revision. `total` in base units; `root` 0x-prefixed. */
export interface ClaimsContent {
  readonly kind: 'claims';
  readonly network: string;
  readonly epoch: number;
  readonly revision: number;
  readonly payees: number;
  readonly total: string;
  readonly root: string;
}

export type Content = RevisionContent | ClaimsContent;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isIdentifier: Check = (value) => typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value);
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);
const isPositive: Check = (value) => isCount(value) && (value as number) > 0;
const isAmount: Check = (value) => typeof value === 'string' && /^(0|[1-9][0-9]*)$/.test(value);
const isDecimal: Check = (value) => typeof value === 'string' && /^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/.test(value);
const isRoot: Check = (value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value);

const REVISION_FIELDS: Readonly<Record<keyof RevisionContent, Check>> = {
  kind: (value) => value === 'revision',
  network: isIdentifier,
  epoch: isCount,
  revision: isPositive,
  ruleset: isPositive,
  policyHash: isDigest,
  snapshotDigest: isDigest,
  pricesDigest: isDigest,
  payoutsDigest: isDigest,
  activeProviders: isCount,
  growthPhase: isText,
  tokenPrice: isDecimal,
  tokenVolume: isDecimal,
  macro: isDecimal,
  pool: isAmount,
  sum: isAmount,
  unallocated: isAmount,
};

const CLAIMS_FIELDS: Readonly<Record<keyof ClaimsContent, Check>> = {
  kind: (value) => value === 'claims',
  network: isIdentifier,
  epoch: isCount,
  revision: isPositive,
  payees: isCount,
  total: isAmount,
  root: isRoot,
};

/**
 * The content of a revision, checked.
 * @throws ProofError `content-not-valid` naming the field.
 */
export function revisionContent(fields: Omit<RevisionContent, 'kind'>): RevisionContent {
  return checkedContent({ kind: 'revision', ...fields }) as RevisionContent;
}

/**
 * The content of the claims that follow a revision, checked.
 * @throws ProofError `content-not-valid` naming the field.
 */
export function claimsContent(fields: Omit<ClaimsContent, 'kind'>): ClaimsContent {
  return checkedContent({ kind: 'claims', ...fields }) as ClaimsContent;
}

/**
 * Checks that an object is a content: the keys of its kind, all of them and no others, each of the form that spec §9
 * gives it. Returns the same object.
 * @throws ProofError `content-not-valid` naming the field.
 */
export function checkedContent(content: Readonly<Record<string, unknown>>): Content {
  const fields: Readonly<Record<string, Check>> = content.kind === 'claims' ? CLAIMS_FIELDS : REVISION_FIELDS;
  for (const [field, check] of Object.entries(fields)) {
    if (!Object.hasOwn(content, field)) throw notValid(field, 'is missing');
    if (!check(content[field])) throw notValid(field, `has the value ${JSON.stringify(content[field])}`);
  }
  const unknown = Object.keys(content).find((key) => !Object.hasOwn(fields, key));
  if (unknown !== undefined) throw notValid(unknown, 'is not one of its keys');
  return content as unknown as Content;
}

function notValid(field: string, problem: string): ProofError {
  return new ProofError('content-not-valid', {
    what: `The content of a chain entry is not valid: ${field} ${problem}.`,
    where: field,
    todo: 'compare with spec §9: counts are numbers, amounts and decimals text in shortest form, hex in lower case.',
  });
}

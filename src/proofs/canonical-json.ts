import canonicalize from 'canonicalize';
import { ProofError } from './errors';

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Canonical JSON (RFC 8785): keys sorted by UTF-16 units, shortest numbers, no white space. For plain data:
 * texts, finite numbers, booleans, null, arrays, objects. Amounts and decimals are text (spec §1).
 *
 * The library leaves open what RFC 8785 forbids, and some of it would let two different contents share one digest
 * (lone surrogates, dropped `undefined`, dates through `toJSON`), so values are checked before they reach it.
 *
 * @throws ProofError `not-json` that names the path.
 */
export function canonicalJson(value: unknown): string {
  assertJson(value, '$');
  return canonicalize(value) as string;
}

function assertJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw notJson(path, `the number ${value}`);
  } else if (typeof value === 'string') {
    if (LONE_SURROGATE.test(value)) throw notJson(path, 'a text with a lone surrogate');
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) assertJson(value[i], `${path}[${i}]`);
  } else if (typeof value === 'object' && isPlain(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (LONE_SURROGATE.test(key)) throw notJson(path, 'a key with a lone surrogate');
      assertJson(member, `${path}.${key}`);
    }
  } else {
    throw notJson(path, typeof value === 'object' ? 'an object of a class' : `a value of type ${typeof value}`);
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  return typeof (value as { toJSON?: unknown }).toJSON !== 'function';
}

function notJson(path: string, found: string): ProofError {
  return new ProofError('not-json', {
    what: `Canonical JSON cannot hold ${found}.`,
    where: path,
    todo: 'pass plain data; amounts and decimals as text, missing values left out or null.',
  });
}

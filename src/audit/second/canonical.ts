/** Canonical JSON (RFC 8785), as UTF-8 bytes: what is hashed for a policy and for a chain entry (spec §2, §9). */

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/**
 * The canonical JSON text of a value made of plain objects, arrays, strings, finite numbers, booleans and null.
 * Throws a TypeError for anything else, undefined members and lone surrogates included.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON text`);
    // RFC 8785 §3.2.2.3 prescribes the ECMAScript form, which is what JSON.stringify writes (-0 as 0).
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value as Record<string, unknown>);
  throw new TypeError(`a ${typeof value} has no JSON text`);
}

function canonicalObject(value: Record<string, unknown>): string {
  // The default order of sort() is by UTF-16 code units, which is the one that RFC 8785 §3.2.3 prescribes.
  const members = Object.keys(value)
    .sort()
    .map((key) => `${canonicalString(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

function canonicalString(value: string): string {
  if (LONE_SURROGATE.test(value)) throw new TypeError('a lone surrogate has no JSON text');
  return JSON.stringify(value);
}

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

import type { PolicyDocument } from './policy';

/** One key in which two policies differ; null: the policy does not have it. */
export interface PolicyChange {
  /** The key's path, joined by dots; a list's places count from 0. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What another policy changes, key by key in the order of the paths, values as they are written (spec §2). */
export function policyChanges(before: PolicyDocument, after: PolicyDocument): readonly PolicyChange[] {
  const [old, young] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...old.keys(), ...young.keys()])]
    .sort()
    .map((path) => ({ path, before: old.get(path) ?? null, after: young.get(path) ?? null }))
    .filter((change) => change.before !== change.after);
}

function leavesOf(document: unknown): ReadonlyMap<string, string> {
  const leaves = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (typeof value !== 'object' || value === null) leaves.set(path, String(value));
    else for (const [key, inner] of Object.entries(value)) walk(inner, path === '' ? key : `${path}.${key}`);
  };
  walk(document, '');
  return leaves;
}

import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
} from 'yaml';
import { PolicyError, type PolicyProblem } from '../rulesets/1/errors';
import { type Policy, parsePolicy } from '../rulesets/1/policy';

/** One defect of a policy file; `line` counts from 1. */
export interface PolicyFileProblem extends PolicyProblem {
  readonly line: number;
}

/** A policy file that cannot be used, with every defect found. */
export class PolicyFileError extends Error {
  readonly id = 'invalid-policy-file';
  constructor(
    readonly fileName: string,
    readonly problems: readonly PolicyFileProblem[],
  ) {
    super(
      [
        `${fileName} is not a policy that can be used:`,
        ...problems.map(
          ({ line, path, message }) => `  ${fileName}:${line}: ${path === '' ? '' : `${path}: `}${message}`,
        ),
        'Correct these lines and read the file again; docs/spec.md §2 says what each key may be.',
      ].join('\n'),
    );
    this.name = 'PolicyFileError';
  }
}

/**
 * Reads a policy file: one document of YAML 1.2 without duplicate keys, aliases or tags (spec §2), validated in full.
 *
 * @param text content of the file
 * @param fileName as the reader knows it, for messages
 * @throws PolicyFileError with every problem, each with its line and the path of its key
 */
export function readPolicyYaml(text: string, fileName: string): Policy {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    strict: true,
    // Found by our own walk, which names the path of the key.
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (!Array.isArray(documents) || document === undefined) {
    throw new PolicyFileError(fileName, [{ line: 1, path: '', message: 'the file is empty: write one YAML document' }]);
  }
  // Text that is no YAML has no dependable keys, so nothing else is said about it.
  const broken = syntaxProblems(document, lines);
  if (broken.length > 0) throw new PolicyFileError(fileName, broken);
  const problems = documents.slice(1).map((extra): PolicyFileProblem => {
    const message = 'a second document begins here: a policy is one document';
    return { line: lineAt(lines, extra.range[0]), path: '', message };
  });
  problems.push(...refusedYaml(document, lines));
  // Aliases can make a document endless, so what stands in it is not looked at.
  const parsed = hasAlias(document) ? { policy: null, problems: [] } : parsedPolicy(document, lines);
  problems.push(...parsed.problems);
  if (parsed.policy !== null && problems.length === 0) return parsed.policy;
  throw new PolicyFileError(
    fileName,
    problems.sort((left, right) => left.line - right.line),
  );
}

function parsedPolicy(
  document: Document.Parsed,
  lines: LineCounter,
): { readonly policy: Policy | null; readonly problems: readonly PolicyFileProblem[] } {
  try {
    return { policy: parsePolicy(document.toJS()), problems: [] };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const problems = error.problems.map((found) => ({ ...found, line: lineOf(document, lines, found.path) }));
    return { policy: null, problems };
  }
}

function syntaxProblems(document: Document.Parsed, lines: LineCounter): PolicyFileProblem[] {
  // An unknown tag is refused by the walk below, with its key.
  const warnings = document.warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED');
  return [...document.errors, ...warnings].map(({ pos, message }) => ({
    line: lineAt(lines, pos[0]),
    path: '',
    message: message.split('\n', 1)[0] ?? message,
  }));
}

/** What YAML allows and policies do not (spec §2). */
function refusedYaml(document: Document.Parsed, lines: LineCounter): PolicyFileProblem[] {
  const problems: PolicyFileProblem[] = [];
  const { explicit, version } = document.directives.yaml;
  if (explicit && version !== '1.2') {
    problems.push({ line: 1, path: '', message: 'policies are YAML 1.2: remove the %YAML directive' });
  }
  const refuse = (node: Node, path: string, message: string) => {
    problems.push({ line: lineAt(lines, node.range?.[0]), path, message });
  };
  visit(document, {
    Node(_, node, ancestors) {
      const path = pathTo([...ancestors, node]);
      if (isAlias(node)) return refuse(node, path, `the alias *${node.source} is not allowed: write the value out`);
      if (node.anchor !== undefined) refuse(node, path, `the anchor &${node.anchor} is not allowed: remove it`);
      // The composer notes a tag only where one is written.
      if (node.tag !== undefined) refuse(node, path, `the tag ${node.tag} is not allowed: remove it`);
    },
    Map(_, map, ancestors) {
      const seen = new Set<string>();
      for (const { key, value } of map.items) {
        const name = nameOf(key);
        const path = joined(pathTo([...ancestors, map]), name ?? '');
        if (name === null) refuse((key ?? value) as Node, path, 'a key must be text: write it in quotes');
        else if (seen.has(name)) refuse(key as Node, path, 'stands twice in its group: keep one');
        else seen.add(name);
      }
    },
  });
  return problems;
}

function hasAlias(document: Document.Parsed): boolean {
  let found = false;
  visit(document, {
    Alias() {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

function nameOf(key: unknown): string | null {
  return isScalar(key) && typeof key.value === 'string' ? key.value : null;
}

/** Keys and indexes on the way to the last of the nodes, joined by dots. */
function pathTo(way: readonly unknown[]): string {
  return way.reduce<string>((path, node, index) => {
    if (isPair(node)) return joined(path, nameOf(node.key) ?? '');
    const parent = way[index - 1];
    return isSeq(parent) ? joined(path, String(parent.items.indexOf(node))) : path;
  }, '');
}

function joined(path: string, name: string): string {
  if (path === '' || name === '') return path + name;
  return `${path}.${name}`;
}

/** Line of a problem's key; of the group that it is missing from, if it is not there. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: string): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0];
  let rest = path;
  while (rest !== '') {
    const step = isMap(node) ? stepIntoMap(node.items as Pair<Node, Node | null>[], rest) : stepIntoList(node, rest);
    if (step === null) break;
    offset = step.offset ?? offset;
    ({ node, rest } = step);
  }
  return lineAt(lines, offset);
}

interface Step {
  readonly node: unknown;
  readonly offset: number | undefined;
  readonly rest: string;
}

/** Names of markets contain dots: the longest key that the path begins with is meant. */
function stepIntoMap(pairs: readonly Pair<Node, Node | null>[], path: string): Step | null {
  let best: Step | null = null;
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.value) : '';
    if (path !== name && !path.startsWith(`${name}.`)) continue;
    const rest = path.slice(name.length + 1);
    if (best === null || rest.length < best.rest.length) best = { node: value, offset: key.range?.[0], rest };
  }
  return best;
}

function stepIntoList(node: unknown, path: string): Step | null {
  const [index = '', ...rest] = path.split('.');
  const items = (node as { items?: readonly (Node | null)[] } | null)?.items;
  const item = items?.[Number(index)];
  return item ? { node: item, offset: item.range?.[0], rest: rest.join('.') } : null;
}

function lineAt(lines: LineCounter, offset: number | undefined): number {
  return offset === undefined ? 1 : Math.max(1, lines.linePos(offset).line);
}

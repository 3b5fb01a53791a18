'use strict';

/**
 * The walls between the rooms (docs/architecture.md, "Who may import whom"), in two passes, since the TypeScript 7
 * compiler has no interface that would tell a type import from a value import:
 *
 *   WALLS=all      every import as it is written, types included; the default
 *   WALLS=values   what is left once the types are erased: what is loaded when the program runs
 */
const values = process.env.WALLS === 'values';

const PURE = '^src/(numbers|rulesets|proofs|explain|ledger)/';
const npm = (...names) => names.map((name) => `^node_modules/${name}/`);
const DATABASE_DRIVERS = npm('pg', 'pg-copy-streams', 'node-pg-migrate');

/** What holds for types too. */
const ALL = [
  {
    name: 'pure-rooms-stay-pure',
    comment:
      'The arithmetic is shared by the worker, the command line, the verifier and the browser: it takes plain data and ' +
      'returns plain data. No Node module, no database, no Temporal.',
    from: { path: PURE },
    to: { pathNot: [PURE, ...npm('decimal.js', 'zod', 'canonicalize')] },
  },
  {
    name: 'second-implementation-stands-alone',
    comment:
      'It checks the first one, so it shares nothing with it but the specification: no room of ours, and no library for ' +
      'arithmetic, YAML or CSV that the first one uses.',
    from: { path: '^src/audit/second/' },
    to: { pathNot: '^src/audit/second/', dependencyTypesNot: ['core'] },
  },
  {
    name: 'second-implementation-without-io',
    comment: 'It gets texts and gives texts; of Node it may use the hash alone.',
    from: { path: '^src/audit/second/' },
    to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
  },
  {
    name: 'workflows-are-deterministic',
    comment: 'They run in a sandbox and are replayed. Types of activities and rulesets, numbers, their own messages.',
    from: { path: '^workflows/' },
    to: {
      pathNot: [
        '^workflows/',
        '^activities/(index|contracts)\\.ts$',
        '^src/(numbers|rulesets)/',
        ...npm('@temporalio/workflow', '@temporalio/common'),
      ],
    },
  },
  {
    name: 'activities-are-called-by-workflows',
    comment: 'An activity loads, calls a pure function and saves: it starts nothing and shows nothing.',
    from: { path: '^activities/' },
    to: { path: ['^src/(commands|queries|api|cli|worker|stack)/', '^workflows/'] },
  },
  {
    name: 'workflows-are-known-by-their-messages',
    comment: 'What a workflow is told and what it answers is its interface; the rest is its own.',
    from: { path: '^(src|activities)/' },
    to: { path: '^workflows/', pathNot: '^workflows/messages\\.ts$' },
  },
  {
    name: 'faces-are-last',
    comment: 'The command line and the API are thin faces over commands and queries; nobody builds on a face.',
    from: { pathNot: '^(src/(cli|api)|test|bench)/' },
    to: { path: '^src/(cli|api)/' },
  },
  {
    name: 'store-serves',
    comment: 'The store answers questions about rows. Who asks, and why, is not its business.',
    from: { path: '^src/store/' },
    to: {
      path: ['^src/(commands|queries|cli|api|worker|stack|inputs|exports|archives|audit)/', '^(workflows|activities)/'],
    },
  },
  {
    name: 'edges-know-no-database',
    comment:
      'Reading bundles and writing files works on rows that are handed in, so it can be tested without a server.',
    from: { path: '^src/(inputs|exports|archives|hashing)/' },
    to: { path: ['^src/(store|stack|commands|queries|cli|api|worker)/', ...DATABASE_DRIVERS] },
  },
  {
    name: 'stack-knows-no-settlement',
    comment: 'It finds or starts two servers; what they are for is decided above it.',
    from: { path: '^src/stack/' },
    to: { path: ['^src/', '^(workflows|activities)/'], pathNot: '^src/stack/' },
  },
  {
    name: 'tests-are-not-imported',
    from: { path: '^(src|workflows|activities)/' },
    to: { path: '^(test|bench)/' },
  },
  {
    name: 'declared-dependencies-only',
    comment: 'What the program needs at run time stands under dependencies, pinned; nothing comes in by accident.',
    from: { path: '^(src|workflows|activities)/' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
  },
  { name: 'resolvable', from: {}, to: { couldNotResolve: true } },
];

/** What types may cross and values may not. */
const VALUES = [
  {
    name: 'database-in-the-store-only',
    comment:
      'All SQL on our tables is in src/store. src/stack asks its own server whether it is well and creates the empty ' +
      'database; everybody else may name the type of a pool and no more.',
    from: { path: '^(src|workflows|activities)/', pathNot: ['^src/store/', '^src/stack/(databases|postgres)\\.ts$'] },
    to: { path: DATABASE_DRIVERS },
  },
  {
    name: 'temporal-client-in-commands-only',
    comment:
      'A run that is started past the commands has no request row that says who asked. Stack and diagnosis ask a server ' +
      'whether it is well, and the session connects.',
    from: {
      path: '^(src|activities)/',
      pathNot: ['^src/(commands|diagnosis|stack)/', '^src/cli/temporal-client\\.ts$'],
    },
    to: { path: npm('@temporalio/client') },
  },
  {
    name: 'workflows-are-reached-by-commands',
    comment: 'Only commands start or update workflows; worker and diagnosis look at their task queue.',
    from: { path: '^(src|activities)/', pathNot: '^src/(commands|diagnosis|worker)/' },
    to: { path: '^workflows/' },
  },
  {
    name: 'worker-in-its-room',
    from: { path: '^(src|activities|workflows)/', pathNot: ['^src/worker/', '^src/cli/session\\.ts$'] },
    to: { path: npm('@temporalio/worker') },
  },
  {
    name: 'workflows-load-no-activity',
    comment: 'A value imported from an activity would pull the database driver into the sandbox.',
    from: { path: '^workflows/' },
    to: { path: ['^activities/', '^src/rulesets/'] },
  },
  {
    name: 'verification-runs-anywhere',
    comment:
      'An audit bundle is checked in a browser by the same function: nothing of Node or of a server may be in reach.',
    from: { path: '^src/audit/verify\\.ts$' },
    to: {
      reachable: true,
      path: [
        '^(node:)?(child_process|crypto|fs|module|net|os|path|process|stream|timers|url|util|worker_threads|zlib)(/|$)',
        '^src/(store|stack|commands|queries|cli)/',
        ...npm('pg', '@temporalio'),
      ],
    },
  },
  { name: 'no-circles', from: {}, to: { circular: true } },
];

const ORPHANS = {
  name: 'no-orphans',
  comment: 'A file that nothing reaches is dead, or its import is missing.',
  from: { orphan: true, pathNot: '\\.d\\.ts$' },
  to: {},
};

const error = (rule) => ({ severity: 'error', ...rule });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: (values ? VALUES : [...ALL, ORPHANS]).map(error),
  options: {
    doNotFollow: { path: 'node_modules' },
    ...(values ? { babelConfig: { fileName: 'babel.walls.json' } } : { parser: 'swc' }),
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['node', 'import', 'require', 'default'],
      extensions: ['.ts', '.d.ts', '.js', '.json'],
    },
  },
};

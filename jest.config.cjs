const shared = {
  testEnvironment: 'node',
  transform: {
    '^.+\\.[cm]?[tj]s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Some dependencies ship ES modules only; jest loads CommonJS, so they are compiled like our own code.
  transformIgnorePatterns: [
    '/node_modules/(?!(@noble|canonicalize|csv-parse|csv-stringify|node-pg-migrate|glob|hyparquet|hyparquet-writer)/)',
  ],
};

/** Folders of `test/` whose tests use the PostgreSQL and Temporal that test/harness starts once for a run. */
const WITH_SERVERS = [
  'store',
  'activities',
  'archives',
  'workflows',
  'faults',
  'replay',
  'differential',
  'disputes',
  'audit',
  'queries',
  'cli-read',
  'ledger',
  'policies',
  'requests',
  'rights',
  'witnesses',
  'soak',
  'chaos',
];

/** @type {import('jest').Config} */
module.exports = {
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: ['<rootDir>/test'],
      testMatch: ['**/*.test.ts'],
      // The README's commands have a configuration of their own (jest.readme.config.cjs).
      testPathIgnorePatterns: [...WITH_SERVERS, 'readme'].map((folder) => `<rootDir>/test/${folder}/`),
    },
    {
      ...shared,
      displayName: 'integration',
      roots: ['<rootDir>/test'],
      testMatch: WITH_SERVERS.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
      globalSetup: '<rootDir>/test/harness/start-servers.ts',
      globalTeardown: '<rootDir>/test/harness/stop-servers.ts',
    },
  ],
  testTimeout: 150_000,
  maxWorkers: 2,
};

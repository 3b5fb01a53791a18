/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
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
  transformIgnorePatterns: ['/node_modules/(?!(@noble|canonicalize|csv-parse|csv-stringify|node-pg-migrate)/)'],
  testTimeout: 60_000,
  maxWorkers: 2,
};

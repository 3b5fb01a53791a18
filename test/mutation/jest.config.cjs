// The tests that Stryker runs the mutants of a room against: the room's own, and no server.
const { projects } = require('../../jest.config.cjs');
const { transform, transformIgnorePatterns } = projects[0];

/** @type {import('jest').Config} */
module.exports = {
  rootDir: '../..',
  roots: [`<rootDir>/test/${process.env.MUTATION_ROOM}`],
  // Of the ledger's tests, those that need no database.
  testMatch: [process.env.MUTATION_ROOM === 'ledger' ? '**/dues.test.ts' : '**/*.test.ts'],
  testEnvironment: 'node',
  setupFiles: ['<rootDir>/test/mutation/fewer-runs.cjs'],
  testSequencer: '<rootDir>/test/mutation/quick-first.cjs',
  transform,
  transformIgnorePatterns,
};

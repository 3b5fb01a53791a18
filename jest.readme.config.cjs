const { projects } = require('./jest.config.cjs');

/**
 * The README's commands, one after the other (test/readme). A configuration of its own: they take as long as the sample
 * does, and `npm test` is for every few minutes.
 *
 * @type {import('jest').Config}
 */
module.exports = {
  displayName: 'readme',
  testEnvironment: 'node',
  transform: projects[0].transform,
  transformIgnorePatterns: projects[0].transformIgnorePatterns,
  roots: ['<rootDir>/test/readme'],
  testMatch: ['**/*.test.ts'],
  testTimeout: 600_000,
};

// The tests that Stryker runs the mutants of a room against: the room's own, and no server.
const { projects } = require('../../jest.config.cjs');
const { transform, transformIgnorePatterns } = projects[0];

/** @type {import('jest').Config} */
module.exports = {
  rootDir: '../..',
  roots: ['<rootDir>/test/mutation'],
  testMatch: ['**/whole-room.ts'],
  testEnvironment: require.resolve('./until-one-fails.cjs'),
  moduleNameMapper: { '^fast-check$': require.resolve('./fast-check-few.cjs') },
  transform,
  transformIgnorePatterns,
};

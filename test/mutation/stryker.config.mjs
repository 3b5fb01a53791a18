// How `npm run mutation` calls Stryker; the room to mutate comes from it (test/mutation/mutate.ts).
export default {
  testRunner: 'jest',
  jest: { projectType: 'custom', configFile: 'test/mutation/jest.config.cjs', enableFindRelatedTests: false },
  coverageAnalysis: 'perTest',
  plugins: ['@stryker-mutator/jest-runner', './test/mutation/prose.mjs'],
  // Texts for people are not mutated, ids and separators are: see prose.mjs.
  ignorers: ['prose'],
  // TypeScript 7 has no JavaScript interface; with no such file Stryker leaves it alone. A mutant that would not compile
  // is run like any other, and counts as survived if no test fails.
  tsconfigFile: 'none',
  ignorePatterns: ['dist', 'dist.new', 'dist.old', 'bench', 'reports', '.settle', 'test/histories'],
  tempDirName: '.stryker-tmp',
  reporters: ['progress-append-only'],
  incremental: true,
  concurrency: 1,
  timeoutMS: 6_000,
};

// By its path: the name stands for this file here (test/mutation/jest.config.cjs).
const fc = require('../../node_modules/fast-check/lib/cjs/fast-check.js');

/** Cases of a property, also where its test asks for more; always the same ones, so that a score can be had again. */
const CASES = { numRuns: 10, seed: 20_260_101, endOnFailure: true };

/**
 * A mutant is killed by the first case that shows it, so the smallest one is not looked for; and thousands of mutants
 * have no time for hundreds of cases each. What a mutant survives with these few it might not with all of them.
 */
const assert = (property, parameters) => fc.assert(property, { ...parameters, ...CASES });

module.exports = { __esModule: true, default: { ...fc, assert } };

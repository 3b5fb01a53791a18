const fc = require('fast-check');

/**
 * A mutant is killed by the first case that shows it, so the smallest one is not looked for; and thousands of mutants
 * have no time for hundreds of cases each. What a mutant survives with these few it might not with all of them.
 */
fc.configureGlobal({ endOnFailure: true, numRuns: 25 });

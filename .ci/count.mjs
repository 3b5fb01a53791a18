/**
 * Adds up jest's result files and prints the closing line.
 *   node .ci/count.mjs <folder> <failed steps>
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const name of readdirSync(folder)) {
  const result = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  passed += result.numPassedTests;
  // A file that could not be run has no tests that failed, and has failed.
  failed += result.numFailedTests + result.numRuntimeErrorTestSuites;
}
// A step that failed without a test to show for it (the check, a run that jest did not end) counts as one.
if (failed === 0) failed = Number(failedSteps);
if (passed === 0) console.log('No test ran.');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 && failedSteps === '0' ? 0 : 1;

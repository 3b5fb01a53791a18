/**
 * Adds up jest's result files and prints the closing line.
 *   node .ci/count.mjs <folder> <failed steps>
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;
const names = readdirSync(folder);
for (const name of names) {
  const result = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  // Files that were run once more count as they came out the second time.
  const again = names.includes(name.replace(/\.json$/, '-again.json'));
  const files = result.testResults.filter(({ status }) => !(again && status === 'failed'));
  for (const { assertionResults } of files) {
    passed += assertionResults.filter(({ status }) => status === 'passed').length;
    failed += assertionResults.filter(({ status }) => status === 'failed').length;
  }
  // A file that could not be run has no tests that failed, and has failed.
  if (!again) failed += result.numRuntimeErrorTestSuites;
}
// A step that failed without a test to show for it (the check, a run that jest did not end) counts as one.
if (failed === 0) failed = Number(failedSteps);
if (passed === 0) console.log('No test ran.');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 && failedSteps === '0' ? 0 : 1;

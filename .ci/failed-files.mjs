/**
 * Prints the test files of a jest result that failed, a line each; fails if the result names none.
 *   node .ci/failed-files.mjs <result.json>
 */
import { readFileSync } from 'node:fs';

const { testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
for (const name of failed) console.log(name);
process.exitCode = failed.length > 0 ? 0 : 1;

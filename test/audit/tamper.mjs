/** `npm run tamper -- --seed N --count N`: attempts on bundles and database; the table goes into docs/audit.md. */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '2000' } },
});
const jest = ['jest', '--selectProjects', 'integration', '--testPathPatterns', 'test/audit/tamper'];
const env = { ...process.env, TAMPER_SEED: values.seed, TAMPER_COUNT: values.count, TAMPER_OUT: 'docs/audit.md' };
const { status } = spawnSync('npx', jest, { stdio: 'inherit', env });
process.exit(status ?? 1);

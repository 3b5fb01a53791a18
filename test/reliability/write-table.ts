/** `npm run reliability`: writes docs/reliability.md from the titles of the tests. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reliabilityTable } from './reliability-table';

writeFileSync(join(__dirname, '..', '..', 'docs', 'reliability.md'), reliabilityTable());

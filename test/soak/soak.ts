/**
 * `npm run soak -- --epochs N [--database-epochs M] [--seed S]`: N random epochs through the pure core, then M with random
 * disputes and payments through a real database; M is a hundredth of N where it is not said, and 0 leaves it out.
 * Prints what was done; the first thing that is not exact ends it with exit code 1 and the seed that shows it again.
 */
import { parseArgs } from 'node:util';
import { openTemporaryDatabase } from '../../src/stack/temporary-home';
import { ensureLogin } from '../../src/store/logins';
import { migrate } from '../../src/store/migrate';
import { openTestDatabase } from '../harness/databases';
import { type SoakFigures, soakDatabase } from './database-soak';
import { soakPure } from './pure-soak';

/** Whatever was asked for, it ends: a soak that hangs proves nothing. */
const MOST_MINUTES = 60;

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '100000' },
    'database-epochs': { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});

function count(name: string, text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  throw new Error(`--${name} is a whole number, like 1000`);
}

const say = (sentence: string) => process.stderr.write(`${sentence}\n`);

async function throughDatabase(epochs: number, seed: number): Promise<SoakFigures> {
  const server = await openTemporaryDatabase({ env: { ...process.env, DATABASE_URL: '' } });
  try {
    const { url, superuserUrl } = server.postgres;
    await migrate(url, say);
    const name = new URL(url).pathname.slice(1);
    const database = openTestDatabase(name, await ensureLogin(superuserUrl, url), superuserUrl);
    try {
      return await soakDatabase(database, epochs, seed, (soFar) => {
        say(
          `${soFar.epochs} epochs in ${soFar.networks} networks, ${soFar.revisions} revisions, ${soFar.batches} batches`,
        );
      });
    } finally {
      await database.close();
    }
  } finally {
    await server.close();
  }
}

function print(figures: object, begun: number): void {
  const seconds = Math.round((Date.now() - begun) / 1000);
  for (const [name, value] of Object.entries({ ...figures, seconds })) process.stdout.write(`${name}: ${value}\n`);
}

async function main(): Promise<void> {
  const seed = count('seed', values.seed);
  const pure = count('epochs', values.epochs);
  const stored = count('database-epochs', values['database-epochs'] ?? String(Math.ceil(pure / 100)));
  if (pure + stored === 0) throw new Error('--epochs and --database-epochs are both 0: there is nothing to do');
  process.stdout.write(`seed: ${seed}\n`);
  if (pure > 0) {
    const begun = Date.now();
    const figures = soakPure(pure, seed, (done) => {
      if (done % 10_000 === 0) say(`${done} epochs of the pure core`);
    });
    process.stdout.write('\nThrough the pure core\n');
    print(figures, begun);
  }
  if (stored > 0) {
    const begun = Date.now();
    const figures = await throughDatabase(stored, seed);
    process.stdout.write('\nThrough the database\n');
    print(figures, begun);
  }
  process.stdout.write('\nEvery balance is exact, in every digit.\n');
}

const tooLong = setTimeout(() => {
  say(`not done after ${MOST_MINUTES} minutes`);
  process.exit(1);
}, MOST_MINUTES * 60_000);

main().then(
  () => clearTimeout(tooLong),
  (error: Error) => {
    say(error.stack ?? error.message);
    process.exit(1);
  },
);

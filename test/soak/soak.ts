/**
 * `npm run soak -- --epochs N [--seed S]`: N random epochs with random disputes and payments through a real database.
 * `npm run soak -- --pure --epochs N [--seed S]`: N random epochs through the pure core.
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
    epochs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    pure: { type: 'boolean', default: false },
  },
});

function count(name: string, text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} is a whole number from 1, like 1000`);
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

async function main(): Promise<void> {
  const seed = count('seed', values.seed);
  const epochs = count('epochs', values.epochs ?? (values.pure ? '100000' : '1000'));
  const begun = Date.now();
  const figures = values.pure
    ? soakPure(epochs, seed, (done) => {
        if (done % 10_000 === 0) say(`${done} epochs`);
      })
    : await throughDatabase(epochs, seed);
  const text = Object.entries({ ...figures, seed, seconds: Math.round((Date.now() - begun) / 1000) });
  for (const [name, value] of text) process.stdout.write(`${name}: ${value}\n`);
  process.stdout.write('Every balance is exact, in every digit.\n');
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

/**
 * All tests of a room as one file. Each mutant is a run of its own, and most of what a run of thirty files costs is
 * loading the room thirty times; here it is loaded once. Loaded by test/mutation/jest.config.cjs alone.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const room = process.env.MUTATION_ROOM!;
const ROOT = join(__dirname, '..', room);

/** Tests that settle whole epochs; whatever the others kill has not to wait for them. */
const SLOW = /(settlement|pinned)\.test\.ts$/;
/** 5,625 proofs of a foreign form: they would cost each mutant of a tree more than all other tests together. */
const LEFT_OUT = /settled-rewards\.test\.ts$/;

/** Of the ledger's tests, those that need no database. */
const WITHOUT_DATABASE = /^(dues|lines-digest)\.test\.ts$/;

const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => (room === 'ledger' ? WITHOUT_DATABASE : /\.test\.ts$/).test(file) && !LEFT_OUT.test(file))
  .sort((left, right) => Number(SLOW.test(left)) - Number(SLOW.test(right)) || (left < right ? -1 : 1));

for (const file of files) {
  describe(file, () => {
    require(join(ROOT, file));
  });
}

// Opens what it is told on a home, says so, and keeps it open until it is asked to stop.
//   node keep-open.cjs stack|database|temporary <home> [{"userId","env"}]
// It becomes another user once the code is loaded only: what root compiles with, and its cache, are closed to others.
require('./typescript-in-node.cjs');
const { openDatabase, openStack } = require('../../src/stack/stack.ts');
const { openTemporaryDatabase } = require('../../src/stack/temporary-home.ts');

const [kind, home, other] = process.argv.slice(2);
if (other !== undefined) {
  const { userId, env } = JSON.parse(other);
  process.setgroups([]);
  process.setgid(userId);
  process.setuid(userId);
  Object.assign(process.env, env);
}
const open = { stack: openStack, database: openDatabase, temporary: openTemporaryDatabase }[kind];
const log = [];

open({ ...(kind === 'temporary' ? {} : { home }), log: (line) => log.push(line) }).then(
  (stack) => {
    process.stdout.write(`${JSON.stringify({ ...stack, log })}\n`);
    process.once('SIGTERM', () => stack.close());
  },
  (error) => {
    process.stdout.write(`${JSON.stringify({ error: error.name, message: error.message })}\n`);
    process.exitCode = error.name === 'HomeInUse' ? 3 : 1;
  },
);

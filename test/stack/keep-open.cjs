// Opens what it is told on a home, says so, and keeps it open until it is asked to stop.
//   node keep-open.cjs stack|database|temporary <home>
require('./typescript-in-node.cjs');
const { openDatabase, openStack } = require('../../src/stack/stack.ts');
const { openTemporaryDatabase } = require('../../src/stack/temporary-home.ts');

const [kind, home] = process.argv.slice(2);
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

// A child of the chaos run; its orders are its one argument, as JSON.
require('../stack/typescript-in-node.cjs');
const { runOperator } = require('./operator.ts');

runOperator(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

// Exports so many payouts in a process of its own, and says how large its memory became.
//   node many-payouts.cjs FOLDER FORMAT COUNT
require('../stack/typescript-in-node.cjs');
const { writeExports } = require('../../src/exports/write-exports.ts');

const [, , folder, format, count] = process.argv;

async function* rows() {
  for (let index = 0; index < Number(count); index += 1) {
    const amount = String(10n ** 18n + BigInt(index));
    yield ['9', `p${String(index).padStart(7, '0')}`, amount, '0', '0', amount, 'paid'];
  }
}

writeExports(folder, { payouts: rows() }, { format, force: false }).then(
  ([written]) => {
    const mostMegabytes = process.resourceUsage().maxRSS / 1024;
    process.stdout.write(JSON.stringify({ ...written, mostMegabytes }));
  },
  (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
);

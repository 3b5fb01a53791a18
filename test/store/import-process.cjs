// An import in a process of its own, whose memory can be bounded; says its counts and its peak.
//   node --max-old-space-size=MB import-process.cjs '{"url","network","folder"}'
require('../stack/typescript-in-node.cjs');
const { importBundle } = require('../../src/commands/import-bundle.ts');
const { openPool } = require('../../src/store/pool.ts');

const { url, network, folder } = JSON.parse(process.argv[2]);

async function main() {
  const onIdleError = () => undefined;
  const pool = openPool({ url, role: 'settle_operator', applicationName: 'import in a process', onIdleError });
  const { counts } = await importBundle({ pool, actor: 'olivia' }, folder, {
    network,
    dryRun: false,
    outsideCalendar: 'refuse',
  });
  await pool.end();
  process.stdout.write(JSON.stringify({ counts, peakBytes: process.resourceUsage().maxRSS * 1024 }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

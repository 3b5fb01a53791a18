/**
 * How fast an epoch of many providers is settled: the whole road through the real Temporal server and PostgreSQL, and
 * in the same run, on the same rows, what it is compared with. `npm run bench -- --help` lists the options. Results go
 * to bench/results/ and docs/performance.md.
 */
import { Runtime } from '@temporalio/worker';
import { measureAudit } from './road/audit';
import { measureDecimalReward } from './road/decimal-reward';
import { measureFloor } from './road/floor';
import { measureMerkle } from './road/merkle';
import { type BenchOptions, readOptions } from './road/options';
import { writePage } from './road/page';
import { RESULTS, type RunResult, report } from './road/report';
import { lookAgain } from './road/second-look';
import { openServers } from './road/servers';
import { settleBundle } from './road/settling';
import { measureSqlReward } from './road/sql-reward';

const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error };
const say = (line: string) => console.error(line);

async function run(options: BenchOptions): Promise<RunResult> {
  const servers = await openServers();
  try {
    const settled = await settleBundle(servers, options, say);
    const compare = <T>(name: (typeof options.comparisons)[number], work: () => Promise<T>) =>
      options.comparisons.includes(name) ? work() : null;
    return {
      settled,
      secondLook: await lookAgain(servers.owner, settled.policyFile),
      audit: await compare('audit', () => measureAudit(servers)),
      floor: await compare('floor', () => measureFloor(servers, settled.folder)),
      sql: await compare('sql', () => measureSqlReward(servers)),
      decimal: await compare('decimal', () => measureDecimalReward(servers)),
      merkle: await compare('merkle', () => measureMerkle(servers)),
    };
  } finally {
    await servers.close();
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.pageOnly) {
    writePage(RESULTS);
    return;
  }
  Runtime.install({ logger: quiet });
  const results: RunResult[] = [];
  for (let n = 1; n <= options.runs; n += 1) {
    say(`run ${n} of ${options.runs}: ${options.providers} providers, ${options.epochs} epochs`);
    results.push(await run(options));
  }
  report(options, results);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

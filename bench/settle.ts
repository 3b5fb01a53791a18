import { Runtime } from '@temporalio/worker';
import { readOptions } from './road/options';
import { openServers } from './road/servers';
import { settleBundle } from './road/settling';
const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error: console.error };
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  Runtime.install({ logger: quiet });
  const servers = await openServers();
  try { console.log(JSON.stringify(await settleBundle(servers, options, console.error), null, 1)); } finally { await servers.close(); }
}
main().catch((e: unknown) => { console.error(e); process.exitCode = 1; });

/**
 * Builds samples/swarm-week/ from the public data described in samples/README.md.
 *
 *   node samples/build.mjs [folder of public data] [--check]
 *
 * The folder is ../shared/data beside this repository unless named. With --check nothing is written: the exit code is
 * 1 when a stored table differs from what the sources give.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isStored, renderTables, writeTable } from './build/bundle.mjs';
import { EPOCH_COUNT, GENESIS } from './build/choices.mjs';
import { demandRows, replayDemand } from './build/demand.mjs';
import { heliosMachines, readTenants } from './build/helios.mjs';
import { performanceRows, readLatencies, readValidators } from './build/performance.mjs';
import { openbMachines } from './build/pods.mjs';
import { quoteRows } from './build/quotes.mjs';
import { openSources } from './build/sources.mjs';
import { capacityRows, enlist, providerRows, readAssigned } from './build/supply.mjs';
import { macroRows, tokenRows } from './build/token.mjs';

const SAMPLES = dirname(fileURLToPath(import.meta.url));
const BUNDLE = join(SAMPLES, 'swarm-week');

function buildTables(sources) {
  const tenants = readTenants(sources);
  const assigned = readAssigned(sources);
  const machines = [...heliosMachines(tenants), ...openbMachines(sources)];
  const providers = enlist(machines, readValidators(sources));
  const { served, requested } = replayDemand(sources, providers, tenants, assigned);
  return {
    providers: providerRows(providers),
    capacity: capacityRows(providers, assigned, served),
    performance: performanceRows(providers, readLatencies(sources)),
    demand: demandRows(requested),
    quotes: quoteRows(sources),
    token: tokenRows(sources),
    macro: macroRows(sources),
  };
}

function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
  const sources = openSources(resolve(positionals[0] ?? join(SAMPLES, '..', '..', 'shared', 'data')));
  const tables = renderTables(buildTables(sources));
  console.log(
    `${EPOCH_COUNT} hourly epochs from ${GENESIS}; ${sources.filesRead().length} source files read and verified`,
  );
  if (values.check) {
    const stale = tables.filter((table) => !isStored(BUNDLE, table)).map(({ name }) => name);
    console.log(stale.length === 0 ? 'the stored sample is what the sources give' : `differs: ${stale.join(', ')}`);
    process.exitCode = stale.length === 0 ? 0 : 1;
    return;
  }
  mkdirSync(BUNDLE, { recursive: true });
  for (const table of tables) {
    const bytes = writeTable(BUNDLE, table);
    console.log(`${table.name}.csv.gz: ${table.rows} rows, ${bytes} bytes`);
  }
}

main();

import { readFileSync } from 'node:fs';
import type { Stack } from '../../src/stack/stack';

/** What start-servers.ts leaves for the tests of a run: one PostgreSQL, one Temporal, one bundle of the workflows. */
export interface TestServers {
  /** Connects as a superuser to the server's own database. */
  readonly superuserUrl: string;
  /** Database to copy: migrated, empty. Nobody stays connected to it. */
  readonly template: string;
  /** URL of a login that may only take the roles of the migrations; its database is the template. */
  readonly loginUrl: string;
  readonly temporalAddress: string;
  /** File of the bundled workflows. */
  readonly workflows: string;
}

/** Names the file that holds them; the test processes inherit it. */
export const SERVERS_FILE = 'SETTLE_TEST_SERVERS';

declare global {
  var settleTestStack: Stack | undefined;
}

export function testServers(): TestServers {
  const file = process.env[SERVERS_FILE];
  if (file === undefined) throw new Error(`this test needs servers: run it in the jest project "integration"`);
  return JSON.parse(readFileSync(file, 'utf8')) as TestServers;
}

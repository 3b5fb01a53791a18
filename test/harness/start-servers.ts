import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTemporaryStack } from '../../src/stack/temporary-home';
import { ensureLogin } from '../../src/store/logins';
import { migrate } from '../../src/store/migrate';
import { bundleWorkflows } from '../../src/worker/bundle-workflows';
import { SERVERS_FILE, type TestServers } from './servers';

/**
 * Once for a run of jest: starts both servers in a temporary home, migrates a template, bundles the workflows. Where
 * somebody started them for many runs, those are used.
 */
export default async function startServers(): Promise<void> {
  if (process.env[SERVERS_FILE] !== undefined) return;
  const bundling = bundleWorkflows();
  bundling.catch(() => undefined);
  const stack = await openTemporaryStack({ env: { ...process.env, DATABASE_URL: '', TEMPORAL_ADDRESS: '' } });
  globalThis.settleTestStack = stack;
  try {
    await migrate(stack.postgres.url, () => undefined);
    const workflows = join(stack.home, 'workflows.js');
    await writeFile(workflows, (await bundling).code);
    const servers: TestServers = {
      superuserUrl: stack.postgres.superuserUrl,
      template: new URL(stack.postgres.url).pathname.slice(1),
      loginUrl: await ensureLogin(stack.postgres.superuserUrl, stack.postgres.url),
      temporalAddress: stack.temporal.address,
      workflows,
    };
    const file = join(stack.home, 'test-servers.json');
    await writeFile(file, JSON.stringify(servers));
    process.env[SERVERS_FILE] = file;
  } catch (error) {
    // Without a set-up there is no tear-down: jest would leave the servers behind.
    await stack.close();
    throw error;
  }
}

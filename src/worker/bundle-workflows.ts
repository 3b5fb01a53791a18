import { extname, join } from 'node:path';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** Bundles the workflows. Takes a second or two, so do it while the servers start. */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    // Compiled like this file, or as it was written, like this file.
    workflowsPath: join(__dirname, '..', '..', 'workflows', `index${extname(__filename)}`),
    logger: QUIET,
  });
}

const QUIET = {
  log: () => undefined,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (message: string) => process.stderr.write(`${message}\n`),
};

import { fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';

export type BundleAnswer = { readonly bundle: WorkflowBundleWithSourceMap } | { readonly failed: string };

/**
 * Bundles the workflows in a process of its own: the bundler needs more memory than settling a million providers does,
 * and a worker that had bundled would keep it for as long as it runs.
 */
export function bundleAside(): Promise<WorkflowBundleWithSourceMap> {
  return new Promise((resolve, reject) => {
    const child = fork(join(__dirname, `bundle-process${extname(__filename)}`), { serialization: 'advanced' });
    child.on('message', (answer: BundleAnswer) => {
      if ('bundle' in answer) resolve(answer.bundle);
      else reject(new Error(answer.failed));
    });
    child.on('error', reject);
    // After its answer this changes nothing.
    child.on('exit', (code, signal) => reject(new Error(`the bundler ended: ${signal ?? `exit code ${code}`}`)));
  });
}

import type { BundleAnswer } from './bundle-aside';
import { bundleWorkflows } from './bundle-workflows';

/** The process of bundle-aside.ts: one bundle, and the end. */
async function answer(): Promise<BundleAnswer> {
  try {
    return { bundle: await bundleWorkflows() };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

async function main(): Promise<void> {
  const message = await answer();
  process.send?.(message, () => process.disconnect());
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

// What `npm start` does, without its words: opens a home, loads a bundle, settles it, says the loop's answer, closes.
//   node --require ../stack/typescript-in-node.cjs session.cjs '{"home","network","bundle","policyFile","last"}'
const { openWorkflowSession } = require('../../src/cli/session.ts');
const { createNetwork } = require('../../src/commands/create-network.ts');
const { importBundle } = require('../../src/commands/import-bundle.ts');
const { loopAnswer, loopId, startLoop } = require('../../src/commands/run-epochs.ts');

const { home, network, bundle, policyFile, last } = JSON.parse(process.argv[2]);

async function loopOf(session) {
  try {
    return await startLoop(session, { network, range: null, askedBy: 'system' });
  } catch (error) {
    // The loop of the process that was killed still runs, and its next task comes to this one.
    if (error.id !== 'AlreadyRunning') throw error;
    return session.temporal.workflow.getHandle(loopId(network));
  }
}

async function main() {
  const session = await openWorkflowSession({ home, join: false });
  await createNetwork(session, { network, policyFile, firstEpoch: 0, lastEpoch: last, holds: 'wait' });
  await importBundle(session, bundle, { network, dryRun: false, outsideCalendar: 'refuse' });
  const answer = await loopAnswer(await loopOf(session));
  await session.close();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});

import { quietRuntime, replayRuns } from './replay';
import type { ReplayAnswer, ReplayQuestion } from './replay-aside';

/** The process of replay-aside.ts: one question after another, until whoever asks is gone. */
quietRuntime();
let before: Promise<void> = Promise.resolve();
process.on('message', (question: ReplayQuestion) => {
  before = before.then(async () => {
    const answer = await answerTo(question);
    process.send?.(answer);
  });
});
process.on('disconnect', () => process.exit(0));

async function answerTo({ code, runs }: ReplayQuestion): Promise<ReplayAnswer> {
  try {
    return { verdicts: await replayRuns(code, runs) };
  } catch (error) {
    return { failed: (error as Error).message };
  }
}

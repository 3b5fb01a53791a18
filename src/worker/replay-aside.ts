import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { ReplayedRun } from './replay';

/** What the process is asked, and what it answers; in the order in which it was asked. */
export interface ReplayQuestion {
  readonly code: string;
  readonly runs: readonly ReplayedRun[];
}
export type ReplayAnswer = { readonly verdicts: ReadonlyMap<string, string | null> } | { readonly failed: string };

export interface ReplayAside {
  readonly replay: (code: string, runs: readonly ReplayedRun[]) => Promise<ReadonlyMap<string, string | null>>;
  readonly close: () => void;
}

/**
 * Replays in a process of its own, so that the replays of a range take a second core while its epochs are computed.
 * The process is started by the first question, and ends with this one, however that ends.
 * @param execArgv options of Node that it is started with
 */
export function replayAside(execArgv: readonly string[] = process.execArgv): ReplayAside {
  let child: ChildProcess | null = null;
  const waiting: { resolve: (answer: ReplayAnswer) => void; reject: (error: Error) => void }[] = [];
  const started = (): ChildProcess => {
    const file = join(__dirname, `replay-process${extname(__filename)}`);
    const forked = fork(file, { serialization: 'advanced', execArgv: [...execArgv] });
    forked.on('message', (answer: ReplayAnswer) => waiting.shift()?.resolve(answer));
    const ended = (how: string) => {
      child = null;
      for (const { reject } of waiting.splice(0)) reject(new Error(`the process that replays ended: ${how}`));
    };
    forked.on('error', ({ message }) => ended(message));
    forked.on('exit', (code, signal) => ended(signal ?? `exit code ${code}`));
    return forked;
  };
  return {
    replay: async (code, runs) => {
      child ??= started();
      const asked = child;
      const answer = await new Promise<ReplayAnswer>((resolve, reject) => {
        waiting.push({ resolve, reject });
        asked.send({ code, runs } satisfies ReplayQuestion);
      });
      if ('failed' in answer) throw new Error(answer.failed);
      return answer.verdicts;
    },
    close: () => {
      child?.disconnect();
    },
  };
}

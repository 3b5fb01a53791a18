import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { defaultHome, homePaths } from '../stack/home';

export interface Log {
  /** null: there is nowhere to write to. */
  readonly file: string | null;
  line(text: string): void;
  close(): void;
}

/**
 * The log of this home: `logs/settle.log`, one JSON object a line. The file appears with its first line, so that a
 * command that only prints its help leaves no folder behind; a home that cannot be written has no log.
 */
export function openLog(env: NodeJS.ProcessEnv): Log {
  const { logs, root } = homePaths(defaultHome(env));
  let logger: pino.Logger | null = null;
  let destination: ReturnType<typeof pino.destination> | null = null;
  let broken = false;
  const open = (): pino.Logger | null => {
    if (logger !== null || broken || !existsSync(root)) return logger;
    try {
      mkdirSync(logs, { recursive: true, mode: 0o700 });
      // Synchronous: the last lines before an end are those that matter.
      destination = pino.destination({ dest: join(logs, 'settle.log'), append: true, mode: 0o600, sync: true });
      logger = pino({ base: { pid: process.pid } }, destination);
    } catch {
      broken = true;
    }
    return logger;
  };
  return {
    get file() {
      return open() === null ? null : join(logs, 'settle.log');
    },
    line: (text) => open()?.info(text),
    close: () => destination?.end(),
  };
}

import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds of processes as the kernel counts them (Linux). They say what a step costs also where others are busy. */

/** The unit of /proc/PID/stat on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/** Fields after the command's name, which ends with `)`: parent, and the times of the process and of its ended children. */
const [PARENT, USER, SYSTEM, ENDED_USER, ENDED_SYSTEM] = [1, 11, 12, 13, 14] as const;

function statOf(pid: string): readonly number[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
  } catch {
    return null;
  }
}

/** CPU seconds of a process; null: not on Linux, or it is gone. */
export function cpuOf(pid: number): number | null {
  const stat = statOf(String(pid));
  return stat === null ? null : (stat[USER]! + stat[SYSTEM]!) / TICKS_PER_SECOND;
}

/** CPU seconds of a server and of all its children, those that have ended as well. */
export function cpuOfServer(pid: number): number | null {
  const server = statOf(String(pid));
  if (server === null) return null;
  let ticks = server[USER]! + server[SYSTEM]! + server[ENDED_USER]! + server[ENDED_SYSTEM]!;
  for (const name of readdirSync('/proc')) {
    const stat = /^[0-9]+$/.test(name) ? statOf(name) : null;
    if (stat !== null && stat[PARENT] === pid) ticks += stat[USER]! + stat[SYSTEM]!;
  }
  return ticks / TICKS_PER_SECOND;
}

const SAMPLE_MS = 250;

interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  readonly count: number;
}

/** A count that only grows, as it was from moment to moment (seconds since 1970). */
export interface Watch {
  /** By how much it grew between two moments; null: it could not be seen. */
  between(from: number, to: number): number | null;
  /** What it was at a moment; null: it could not be seen. */
  at(moment: number): number | null;
  stop(): void;
}

/** Watches what `read` counts, to be asked afterwards for the time of each step. */
export function watch(read: () => number | null): Watch {
  const samples: Sample[] = [];
  const look = () => {
    const count = read();
    if (count !== null) samples.push({ at: Date.now() / 1000, count });
  };
  look();
  const timer = setInterval(look, SAMPLE_MS);
  const at = (moment: number): number | null =>
    (samples.findLast((sample) => sample.at <= moment) ?? samples[0])?.count ?? null;
  return {
    between(from, to) {
      const [start, end] = [at(from), at(to)];
      return start === null || end === null ? null : end - start;
    },
    at,
    stop() {
      look();
      clearInterval(timer);
    },
  };
}

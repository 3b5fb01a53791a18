import { readdirSync, readFileSync } from 'node:fs';

/** Peak resident memory of a process in bytes, as the kernel keeps it; null: not on Linux, or the process is gone. */
export function peakResident(pid: number): number | null {
  return kilobytes(`/proc/${pid}/status`, 'VmHWM');
}

function kilobytes(path: string, field: string): number | null {
  try {
    const line = readFileSync(path, 'utf8')
      .split('\n')
      .find((one) => one.startsWith(`${field}:`));
    return line === undefined ? null : Number.parseInt(line.slice(field.length + 1), 10) * 1024;
  } catch {
    return null;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^[0-9]+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]) === pid ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/** Proportional set size of a server and its children: shared pages are counted once. */
function residentOfServer(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + (kilobytes(`/proc/${one}/smaps_rollup`, 'Pss') ?? 0), 0);
}

/**
 * Counting the pages of a server stops its processes for milliseconds each: rarely enough to slow nothing down. What it
 * holds is shared memory, which only grows.
 */
const LOOK_MS = 5_000;

/** Watches a server's memory; `stop` returns the peak in bytes, 0 where it could not be seen. */
export function watchServer(pid: number): { stop(): number } {
  let peak = 0;
  const look = () => {
    try {
      peak = Math.max(peak, residentOfServer(pid));
    } catch {
      // Not on Linux: the peak stays unknown.
    }
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    stop() {
      look();
      clearInterval(timer);
      return peak;
    },
  };
}

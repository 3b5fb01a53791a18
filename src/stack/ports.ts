import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** All servers of the embedded stack listen here and nowhere else. */
export const LOOPBACK = '127.0.0.1';

/** The port a listener got when asking for `port` (0: any); null when that port is taken. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => {
      const address = server.address();
      const got = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(got));
    });
  });
}

/**
 * Below the range from which systems give outgoing connections their ports: in that one, a stranger's connection can
 * sit on a server's port while the server restarts, and everybody who knew the port has lost the server.
 */
const OWN_RANGE = { lowest: 15_000, beyond: 32_000 } as const;

async function anyPort(): Promise<number | null> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await tryPort(randomInt(OWN_RANGE.lowest, OWN_RANGE.beyond));
    if (port !== null) return port;
  }
  return tryPort(0);
}

/** A server that was killed just now counts as ended a moment before the last of its threads lets go of its sockets. */
async function keptPort(preferred: number): Promise<number | null> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const port = await tryPort(preferred);
    if (port !== null) return port;
    await sleep(50);
  }
  return null;
}

/**
 * A free port: the preferred one (that of the last start, so that bookmarks and open connections go on working) or
 * any other. Free now is not free for ever: whoever binds it must be ready to ask again.
 */
export async function choosePort(preferred: number | null): Promise<number> {
  const kept = preferred === null ? null : await keptPort(preferred);
  const port = kept ?? (await anyPort());
  if (port === null) throw new Error(`no free port on ${LOOPBACK}`);
  return port;
}

/** Whether something accepts connections there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: LOOPBACK, port });
    const answer = (listening: boolean) => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

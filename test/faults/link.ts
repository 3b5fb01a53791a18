import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A wire between a client and a server on this machine that a test can make slow, cut, or listen to. Bytes pass as they
 * are; what a client says is looked at for whole statements of PostgreSQL's protocol only to find its COMMIT.
 */
export interface Link {
  readonly port: number;
  /** The same URL, through this wire. */
  through(url: string): string;
  /** Ends every connection and refuses new ones for so long. */
  cut(forMs: number): Promise<void>;
  close(): Promise<void>;
}

export interface LinkFaults {
  /** Each piece of an answer comes so much later. */
  readonly answersLateMs?: number;
  /** Bytes a second, towards the client. */
  readonly bytesASecond?: number;
  /** Cuts a connection after so many bytes of answers, once for each number, in the order of connections. */
  readonly cutAfterBytes?: readonly number[];
  /** Called once a COMMIT is on the wire; it arrives unless the connection is to be cut. */
  readonly onCommit?: () => Promise<'pass' | 'cut'>;
  /** Called once the first answer after a COMMIT has come from the server, before it is passed on. */
  readonly onCommitted?: () => Promise<void>;
}

const COMMIT = Buffer.from('commit\0', 'latin1');

export async function openLink(serverPort: number, faults: LinkFaults = {}): Promise<Link> {
  const sockets = new Set<Socket>();
  const cuts = [...(faults.cutAfterBytes ?? [])];
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(serverPort, '127.0.0.1');
    let committing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    relay(client, upstream, async (piece) => {
      if (faults.onCommit === undefined && faults.onCommitted === undefined) return;
      if (!piece.includes(COMMIT)) return;
      if ((await faults.onCommit?.()) === 'cut') upstream.destroy();
      committing = true;
    });
    let left = cuts.shift() ?? Number.POSITIVE_INFINITY;
    relay(upstream, client, async (piece) => {
      if (committing) {
        committing = false;
        await faults.onCommitted?.();
      }
      if (faults.answersLateMs !== undefined) await delay(faults.answersLateMs);
      if (faults.bytesASecond !== undefined) await delay((piece.length * 1000) / faults.bytesASecond);
      left -= piece.length;
      if (left < 0) client.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    through(url) {
      const other = new URL(url);
      other.host = `127.0.0.1:${port}`;
      return other.toString();
    },
    async cut(forMs) {
      isCut = true;
      for (const socket of sockets) socket.destroy();
      await delay(forMs);
      isCut = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Passes pieces on in their order, each after `before` is through with it. */
function relay(from: Socket, to: Socket, before: (piece: Buffer) => Promise<void>): void {
  let last: Promise<unknown> = Promise.resolve();
  from.on('data', (piece: Buffer) => {
    from.pause();
    last = last
      .then(() => before(piece))
      .then(() => {
        if (!to.destroyed) to.write(piece);
        from.resume();
      });
  });
  from.on('end', () => {
    void last.then(() => to.end());
  });
}

/** The port of a URL, PostgreSQL's own if it has none. */
export const portOf = (url: string): number => Number(new URL(url).port || '5432');

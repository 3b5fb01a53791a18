import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** A way to a server of this machine that takes only so many bytes a second. */
export interface NarrowLink {
  /** The same URL by this way. */
  through(url: string): string;
  /** Resolves once so many bytes have gone to the server. */
  reached(bytes: number): Promise<void>;
  /** Lets nothing pass to the server until the way is widened. */
  pause(): void;
  /** Takes the limit away. */
  widen(): void;
  /** Ends every connection at once, as a server that dies does. */
  cut(): void;
  close(): Promise<void>;
}

export async function narrowLink(serverPort: number, bytesASecond: number): Promise<NarrowLink> {
  const sockets = new Set<Socket>();
  let rate = bytesASecond;
  let sent = 0;
  async function* narrow(pieces: AsyncIterable<Buffer>) {
    for await (const piece of pieces) {
      while (rate === 0) await delay(10);
      await delay((piece.length * 1000) / rate);
      sent += piece.length;
      yield piece;
    }
  }
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    pipeline(client, narrow, upstream, () => undefined);
    pipeline(upstream, client, () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    through(url) {
      const other = new URL(url);
      other.host = `127.0.0.1:${port}`;
      return other.toString();
    },
    pause() {
      rate = 0;
    },
    widen() {
      rate = Number.POSITIVE_INFINITY;
    },
    async reached(bytes) {
      while (sent < bytes) await delay(10);
    },
    cut,
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

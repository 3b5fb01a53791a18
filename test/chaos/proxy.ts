import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** `COMMIT` as the driver sends it: a simple query of the PostgreSQL protocol, in one piece. */
const COMMIT = Buffer.concat([Buffer.from('Q'), Buffer.from([0, 0, 0, 11]), Buffer.from('commit\0')]);
/** How often a throttled flow is given its share. */
const SHARE_MS = 50;

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Nothing of what the server says reaches the client any more. */
  deaf: boolean;
}

/** A TCP proxy on loopback that stands between a client and a server, and does what networks do. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private cutOff = false;
  private delayMs = 0;
  private bytesPerSecond = Number.POSITIVE_INFINITY;
  private dropAnswer: ((happened: boolean) => void) | null = null;

  private constructor(
    private readonly listener: Server,
    private readonly targetPort: number,
  ) {}

  /** Listens on a port of its own for connections to `targetPort`. */
  static async open(targetPort: number): Promise<TcpProxy> {
    // A half-closed connection stays half open here, so that one side's end is told to the other and no more.
    const listener = createServer({ allowHalfOpen: true });
    const proxy = new TcpProxy(listener, targetPort);
    listener.on('connection', (client) => proxy.accept(client));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.pairs.size;
  }

  /** Every connection breaks, and none is accepted until `heal`. */
  cut(): void {
    this.cutOff = true;
    this.reset();
  }

  /** Every connection is reset; the next ones are as good as new. Returns how many there were. */
  reset(): number {
    const { size } = this.pairs;
    for (const pair of this.pairs) breakPair(pair);
    return size;
  }

  /** Every connection is closed in one direction alone: that side is told that nothing more comes, and may still talk. */
  halfClose(towards: 'client' | 'server'): number {
    for (const pair of this.pairs) pair[towards].end();
    return this.pairs.size;
  }

  /** Every piece of data waits so long, in both directions. */
  delay(ms: number): void {
    this.delayMs = ms;
  }

  /** So many bytes a second for each direction of each connection. */
  throttle(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond;
  }

  /**
   * The next COMMIT of any connection reaches the server, and its answer does not come back: the connection breaks as
   * soon as the server has answered. Resolves then; with false, if it was healed before anybody committed.
   */
  dropAnswerToCommit(): Promise<boolean> {
    this.dropAnswer?.(false);
    return new Promise((resolve) => {
      this.dropAnswer = resolve;
    });
  }

  /** What was asked for is over; without a word, all of it: everything passes at once. What broke stays broken. */
  heal(what?: 'cut' | 'delay' | 'throttle'): void {
    if (what === undefined || what === 'cut') this.cutOff = false;
    if (what === undefined || what === 'delay') this.delayMs = 0;
    if (what === undefined || what === 'throttle') this.bytesPerSecond = Number.POSITIVE_INFINITY;
    if (what !== undefined) return;
    this.dropAnswer?.(false);
    this.dropAnswer = null;
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    this.reset();
    await closed;
  }

  private accept(client: Socket): void {
    if (this.cutOff) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: this.targetPort, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    const pair: Pair = { client, server, deaf: false };
    this.pairs.add(pair);
    for (const socket of [client, server]) {
      // The other side of a socket that breaks is told by breaking it too.
      socket.on('error', () => breakPair(pair));
      socket.on('close', () => {
        if (client.destroyed && server.destroyed) this.pairs.delete(pair);
      });
    }
    void this.flow(pair, client, server, (piece) => this.watchForCommit(pair, piece));
    void this.flow(pair, server, client, (piece) => this.hear(pair, piece));
  }

  /** Carries one direction until its end. `carried` may keep a piece back by returning null. */
  private async flow(pair: Pair, from: Socket, to: Socket, carried: (piece: Buffer) => Buffer | null): Promise<void> {
    try {
      for await (const chunk of from) {
        const piece = carried(chunk as Buffer);
        if (this.delayMs > 0) await sleep(this.delayMs);
        if (piece !== null) await this.write(to, piece);
      }
      to.end();
    } catch {
      // A connection that breaks in the middle: both ends see it.
      breakPair(pair);
    }
  }

  private async write(to: Socket, piece: Buffer): Promise<void> {
    for (let at = 0; at < piece.length; ) {
      const share = Math.max(1, Math.ceil((this.bytesPerSecond * SHARE_MS) / 1000));
      const slice = piece.subarray(at, at + Math.min(share, piece.length - at));
      at += slice.length;
      if (to.destroyed || to.writableEnded) return;
      if (!to.write(slice)) await roomIn(to);
      if (Number.isFinite(this.bytesPerSecond)) await sleep(SHARE_MS);
    }
  }

  private watchForCommit(pair: Pair, piece: Buffer): Buffer {
    if (this.dropAnswer !== null && piece.includes(COMMIT)) {
      pair.deaf = true;
      const dropped = this.dropAnswer;
      this.dropAnswer = null;
      pair.server.once('data', () => {
        breakPair(pair);
        dropped(true);
      });
    }
    return piece;
  }

  private hear(pair: Pair, piece: Buffer): Buffer | null {
    return pair.deaf ? null : piece;
  }
}

/** Resolves when the socket takes more, or has gone. */
function roomIn(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

function breakPair({ client, server }: Pair): void {
  if (!client.destroyed) client.resetAndDestroy();
  if (!server.destroyed) server.destroy();
}

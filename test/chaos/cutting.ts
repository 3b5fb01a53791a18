import type { Pool, PoolClient } from 'pg';

/** Cuts a pool's connection around one statement, as the end of its process would. */
export class Scissors {
  /** Statements that were sent since `arm` or `count`. */
  sent = 0;
  private at = 0;
  private when: 'before' | 'after' = 'before';

  constructor(...pools: readonly Pool[]) {
    for (const pool of pools) pool.on('connect', (client: PoolClient) => this.watch(client));
  }

  /** The next statements are counted; none is cut. */
  count(): void {
    this.sent = 0;
    this.at = 0;
  }

  /** The connection ends right before statement number `at` is sent, or right after the server has done it. */
  arm(at: number, when: 'before' | 'after'): void {
    this.sent = 0;
    this.at = at;
    this.when = when;
  }

  private watch(client: PoolClient): void {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const cut = () =>
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    client.query = ((...args: unknown[]) => {
      this.sent += 1;
      const isHere = this.sent === this.at;
      if (isHere && this.when === 'before') cut();
      const answer = query(...args);
      if (!isHere || this.when === 'before') return answer;
      if (answer instanceof Promise) return answer.then(() => lostBy(cut));
      // A stream or a call with a callback: its answer is lost as soon as it is under way.
      cut();
      return answer;
    }) as never;
  }
}

function lostBy(cut: () => void): never {
  cut();
  throw new Error('Connection terminated: its answer is lost');
}

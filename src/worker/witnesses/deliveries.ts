import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { listNetworks } from '../../store/networks';
import { headsAfter, recordTold, recordUnheard, toldUpTo } from '../../store/witness-cursors';
import type { HeadWitness } from './telling';

export interface DeliveryOptions {
  readonly pool: Pool;
  readonly witnesses: readonly HeadWitness[];
  readonly log: (line: string) => void;
  /** Waits between the attempts of one round; the round ends with the last of them. */
  readonly backoffMs?: readonly number[];
  /** When a round is begun by itself: what could not be told before is tried again. */
  readonly everyMs?: number;
}

const BACKOFF_MS = [500, 2_000, 8_000];
const EVERY_MS = 60_000;
const PIECE = 100;
const ERROR_CHARS = 500;

/**
 * Tells the witnesses outside what the chain has and they were not told yet: each publication at least once, each
 * network's in the order of its chain. It goes on beside the settlement, which never waits for it. How far each witness
 * was told is a row, so that another worker, or this one after a crash, goes on from there.
 */
export class Deliveries {
  private readonly rounds = new Map<string, Promise<void>>();
  private readonly again = new Set<string>();
  /** Ends what is being told. */
  private readonly abort = new AbortController();
  /** Ends the waits between attempts. */
  private readonly woken = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private listing: Promise<void> = Promise.resolve();
  private closing = false;

  constructor(private readonly options: DeliveryOptions) {
    this.timer = setInterval(() => this.wakeAll(), options.everyMs ?? EVERY_MS);
    this.timer.unref();
    this.wakeAll();
  }

  /** Begins a round for every network. */
  wakeAll(): void {
    if (this.options.witnesses.length === 0) return;
    this.listing = listNetworks(this.options.pool).then(
      (networks) => {
        for (const { network } of networks) this.wake(network);
      },
      (error: Error) => this.options.log(`witnesses: ${error.message}`),
    );
  }

  /** Begins a round for a network, or has the one that is under way look once more. */
  wake(network: string): void {
    for (const witness of this.options.witnesses) {
      const key = `${network} ${witness.name}`;
      if (this.rounds.has(key)) this.again.add(key);
      else this.begin(key, network, witness);
    }
  }

  /** Lets what is under way end, without waits between attempts, for at most so long. */
  async close(graceMs = 5_000): Promise<void> {
    clearInterval(this.timer);
    await this.listing;
    this.closing = true;
    this.woken.abort();
    const timer = setTimeout(() => this.abort.abort(), graceMs);
    while (this.rounds.size > 0) await Promise.all(this.rounds.values());
    clearTimeout(timer);
  }

  private begin(key: string, network: string, witness: HeadWitness): void {
    const round = this.round(network, witness)
      .catch((error: Error) => this.options.log(`witness ${witness.name}: ${error.message}`))
      .finally(() => {
        this.rounds.delete(key);
        if (this.again.delete(key) && !this.abort.signal.aborted) this.begin(key, network, witness);
      });
    this.rounds.set(key, round);
  }

  private async round(network: string, witness: HeadWitness): Promise<void> {
    const { pool } = this.options;
    let position = await toldUpTo(pool, network, witness.name);
    for (;;) {
      const heads = await headsAfter(pool, network, position, PIECE);
      if (heads.length === 0) return;
      for (const head of heads) {
        const error = await this.heard(() => witness.tell(head, this.abort.signal));
        // What we cut short ourselves says nothing of the witness.
        if (error !== null && this.abort.signal.aborted) return;
        if (error !== null) {
          await recordUnheard(pool, network, witness.name, error);
          this.options.log(`witness ${witness.name} was not told epoch ${head.epoch} of ${network}: ${error}`);
          return;
        }
        await recordTold(pool, network, witness.name, head.position);
        position = head.position;
      }
    }
  }

  /** Tries as often as the round allows; null: heard. */
  private async heard(tell: () => Promise<void>): Promise<string | null> {
    const waits = this.options.backoffMs ?? BACKOFF_MS;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await tell();
        return null;
      } catch (error) {
        // One line, of characters that the database takes.
        const words = (error as Error).message.replace(/\p{Cc}+/gu, ' ').slice(0, ERROR_CHARS);
        const wait = waits[attempt];
        if (wait === undefined || this.closing) return words;
        await pause(wait, undefined, { signal: this.woken.signal }).catch(() => undefined);
      }
    }
  }
}

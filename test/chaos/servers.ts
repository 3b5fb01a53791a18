import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { ensureDatabase } from '../../src/stack/databases';
import { type HomePaths, prepareHome } from '../../src/stack/home';
import { type EmbeddedPostgres, startPostgres } from '../../src/stack/postgres';
import { endProcess } from '../../src/stack/processes';
import { type EmbeddedTemporal, startTemporal } from '../../src/stack/temporal';
import { temporaryHome } from '../../src/stack/temporary-home';
import { ensureLogin } from '../../src/store/logins';
import { migrate } from '../../src/store/migrate';
import { openPool } from '../../src/store/pool';
import { openTestDatabase, type TestDatabase } from '../harness/databases';
import { TcpProxy } from './proxy';

const DATABASE = 'chaos';
const CALM_DATABASE = 'calm';

/** PostgreSQL and Temporal as children, in a home that is thrown away, each behind a proxy. */
export class Servers {
  private postgresUp: Promise<void> = Promise.resolve();
  private temporalUp: Promise<void> = Promise.resolve();
  private calm: Promise<TestDatabase> | null = null;

  private constructor(
    private readonly home: Awaited<ReturnType<typeof temporaryHome>>,
    private readonly paths: HomePaths,
    private postgres: EmbeddedPostgres,
    private temporal: EmbeddedTemporal,
    readonly proxies: { readonly postgres: TcpProxy; readonly temporal: TcpProxy },
    /** Of a superuser, past the proxy. */
    readonly direct: Pool,
    /** Of the login without rights of its own, through the proxy. */
    readonly databaseUrl: string,
  ) {}

  static async open(): Promise<Servers> {
    const home = await temporaryHome();
    const paths = await prepareHome(home.folder);
    const [postgres, temporal] = await Promise.all([startPostgres(options(paths)), startTemporal(options(paths))]);
    const url = await ensureDatabase(postgres.superuserUrl, DATABASE);
    await migrate(url, () => undefined);
    const login = new URL(await ensureLogin(postgres.superuserUrl, url));
    const proxies = {
      postgres: await TcpProxy.open(postgres.port),
      temporal: await TcpProxy.open(Number(temporal.address.split(':')[1])),
    };
    login.port = String(proxies.postgres.port);
    const pool = { url, role: null, applicationName: 'chaos', onIdleError: () => undefined, max: 4 };
    return new Servers(home, paths, postgres, temporal, proxies, openPool(pool), login.toString());
  }

  /** A database beside the disturbed one, reached past the proxy; opened once. */
  async calmDatabase(): Promise<TestDatabase> {
    this.calm ??= (async () => {
      const { superuserUrl } = this.postgres;
      const url = await ensureDatabase(superuserUrl, CALM_DATABASE);
      await migrate(url, () => undefined);
      return openTestDatabase(CALM_DATABASE, await ensureLogin(superuserUrl, url), superuserUrl);
    })();
    return this.calm;
  }

  get temporalAddress(): string {
    return `127.0.0.1:${this.proxies.temporal.port}`;
  }

  /** The server itself, past the proxy. */
  get directTemporalAddress(): string {
    return this.temporal.address;
  }

  /** Folder of the logs of everything. */
  get logs(): string {
    return this.paths.logs;
  }

  file(name: string): string {
    return join(this.paths.root, name);
  }

  /** Ends PostgreSQL by a signal that lets it finish nothing, and starts it again on the same port. */
  crashPostgres(signal: 'SIGKILL' | 'SIGQUIT', downMs: number): Promise<void> {
    this.postgresUp = this.postgresUp.then(async () => {
      await endProcess(this.postgres.process, [
        [signal, 5_000],
        ['SIGKILL', 5_000],
      ]);
      await sleep(downMs);
      this.postgres = await startPostgres(options(this.paths));
    });
    return this.postgresUp;
  }

  killTemporal(downMs: number): Promise<void> {
    this.temporalUp = this.temporalUp.then(async () => {
      await endProcess(this.temporal.process, [['SIGKILL', 5_000]]);
      await sleep(downMs);
      this.temporal = await startTemporal(options(this.paths));
    });
    return this.temporalUp;
  }

  /** Waits until both serve again. */
  async up(): Promise<void> {
    await Promise.all([this.postgresUp, this.temporalUp]);
  }

  async close(keepLogs: (logs: string) => Promise<void>): Promise<void> {
    await Promise.allSettled([this.postgresUp, this.temporalUp]);
    await this.calm?.then((calm) => calm.close()).catch(() => undefined);
    await Promise.allSettled([this.proxies.postgres.close(), this.proxies.temporal.close(), this.direct.end()]);
    await keepLogs(this.paths.logs);
    await Promise.allSettled([this.postgres.stop(), this.temporal.stop()]);
    await this.home.remove();
  }
}

function options(paths: HomePaths) {
  const silent = () => undefined;
  return { paths, log: silent, progress: silent, env: process.env, durable: true };
}

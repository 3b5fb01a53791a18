import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureDatabase } from '../../src/stack/databases';
import { type HomePaths, prepareHome } from '../../src/stack/home';
import { type EmbeddedPostgres, startPostgres } from '../../src/stack/postgres';
import { endProcess } from '../../src/stack/processes';
import { type EmbeddedTemporal, startTemporal } from '../../src/stack/temporal';
import { temporaryHome } from '../../src/stack/temporary-home';
import { ensureLogin } from '../../src/store/logins';
import { migrate } from '../../src/store/migrate';
import { openTestDatabase } from '../harness/databases';
import { openOrchestrator } from '../harness/orchestrators';
import { type World, worldOf } from '../harness/worlds';

/** Servers that a test may kill, in a home of their own. */
export class OwnStack {
  private constructor(
    private readonly home: Awaited<ReturnType<typeof temporaryHome>>,
    private readonly paths: HomePaths,
    private postgres: EmbeddedPostgres,
    private temporal: EmbeddedTemporal,
  ) {}

  static async open(): Promise<OwnStack> {
    const home = await temporaryHome();
    const paths = await prepareHome(home.folder);
    const [postgres, temporal] = await Promise.all([startPostgres(options(paths)), startTemporal(options(paths))]);
    return new OwnStack(home, paths, postgres, temporal);
  }

  /** A migrated database in this server, and its Temporal. */
  async world(name: string): Promise<World> {
    const url = await ensureDatabase(this.postgres.superuserUrl, name);
    await migrate(url, () => undefined);
    const loginUrl = await ensureLogin(this.postgres.superuserUrl, url);
    const database = openTestDatabase(name, loginUrl, this.postgres.superuserUrl);
    return worldOf(database, await openOrchestrator(this.temporal.address, 'default'));
  }

  /** SIGKILL to the postmaster; its children end by themselves. */
  async killPostgres(): Promise<void> {
    await endProcess(this.postgres.process, [['SIGKILL', 5_000]]);
  }

  /** On the same port, as the record in the home says. */
  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres(options(this.paths));
  }

  async killTemporal(): Promise<void> {
    await endProcess(this.temporal.process, [['SIGKILL', 5_000]]);
  }

  async startTemporal(): Promise<void> {
    this.temporal = await startTemporal(options(this.paths));
  }

  /** What Temporal knows is gone. */
  wipeTemporal(): void {
    for (const file of readdirSync(this.paths.temporal)) rmSync(join(this.paths.temporal, file));
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.postgres.stop(), this.temporal.stop()]);
    await this.home.remove();
  }
}

function options(paths: HomePaths) {
  const silent = () => undefined;
  return { paths, log: silent, progress: silent, env: process.env, durable: true };
}

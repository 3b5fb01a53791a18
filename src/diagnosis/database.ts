import { missingWords } from '../audit/missing-heads';
import { assertSchema } from '../store/migrate';
import { listNetworks } from '../store/networks';
import type { Queryable } from '../store/pool';
import { serverReport } from '../store/server-reports';
import { type WitnessStanding, witnessStandings } from '../store/witness-cursors';
import { examined, type Finding, fail, ok, warn } from './findings';
import { headsLogStanding } from './heads-log';

/** The database: version, schema, rights, clock, and whether it agrees with the witness file outside of it. */

const OLDEST_POSTGRES = 150_000;
/** Epochs are minutes to hours long; a second of difference moves nothing but a reader's patience. */
const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 60_000;

export async function databaseFindings(db: Queryable, headsLog: string): Promise<readonly Finding[]> {
  const findings = [await examined('database', 'start it, or correct DATABASE_URL.', () => serverFinding(db))];
  if (findings[0]?.outcome === 'fail') return findings;
  return [
    ...findings,
    await examined('schema', 'run `settle database migrate`.', async () => ok('schema', await assertSchema(db))),
    await examined('rights', 'grant the login the roles of the migrations.', () => rightsFinding(db)),
    await examined('clock of the database', 'look at the clocks of both machines.', () => clockFinding(db)),
    await examined('networks', 'see `settle network list`.', () => networksFinding(db)),
    await examined('heads.log', 'look whether the file can be read.', () => witnessFinding(db, headsLog)),
    await examined('witnesses', 'run `settle database migrate`.', () => toldFinding(db)),
  ];
}

async function serverFinding(db: Queryable): Promise<Finding> {
  const { version, versionNumber, database, login, megabytes } = await serverReport(db);
  const found = `PostgreSQL ${version}, database ${database} (${megabytes} MB), as ${login}`;
  if (versionNumber < OLDEST_POSTGRES)
    return warn('database', found, 'use PostgreSQL 15 or newer: older ones are not tried.');
  return ok('database', found);
}

async function rightsFinding(db: Queryable): Promise<Finding> {
  const { login, superuser, roles, inheriting } = await serverReport(db);
  if (superuser) {
    return warn(
      'rights',
      `${login} is a superuser`,
      'settle with a login that has no rights of its own: nothing keeps a superuser from rewriting what is published.',
    );
  }
  if (inheriting.length > 0) {
    return warn(
      'rights',
      `logins inherit our roles: ${inheriting.join(', ')}`,
      'grant them again `with inherit false, set true`: a login takes a role for what it does, and has no rights besides (docs/operations.md, People and rights).',
    );
  }
  const names = roles.map((role) => role.replace(/^settle_/, ''));
  if (names.length > 0) return ok('rights', `${login} may act as ${names.join(', ')}, and has no rights of its own`);
  return fail('rights', `${login} is in none of our roles`, 'let an administrator grant it the role that it needs.');
}

async function clockFinding(db: Queryable): Promise<Finding> {
  const before = Date.now();
  const { nowMs } = await serverReport(db);
  const after = Date.now();
  // Between the two lies the answer; what is outside of them is a difference of the clocks.
  const skew = nowMs < before ? nowMs - before : nowMs > after ? nowMs - after : 0;
  return skewFinding('clock of the database', skew);
}

export function skewFinding(check: string, skewMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  const found =
    skewMs === 0 ? 'agrees with this machine' : `${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine`;
  const todo = 'set the clocks by NTP: the clock of the database decides when epochs are due and holds expire.';
  if (Math.abs(skewMs) >= SKEW_FAIL_MS) return fail(check, found, todo);
  return Math.abs(skewMs) >= SKEW_WARN_MS ? warn(check, found, todo) : ok(check, found);
}

async function networksFinding(db: Queryable): Promise<Finding> {
  const networks = await listNetworks(db);
  if (networks.length > 0) return ok('networks', networks.map(({ network }) => network).join(', '));
  return warn('networks', 'none', 'create one with `settle network create`, or settle the sample with `settle start`.');
}

async function witnessFinding(db: Queryable, path: string): Promise<Finding> {
  const standing = await headsLogStanding(db, path);
  if (standing === null) {
    return warn(
      'heads.log',
      `no heads in ${path}`,
      'it begins with the first publication of a worker that uses this home.',
    );
  }
  const { heads, last, missing } = standing;
  const [first] = missing;
  if (first === undefined) {
    const words = `the last is ${last.head.slice(0, 16)}… of epoch ${last.epoch}, revision ${last.revision}`;
    return ok('heads.log', `all ${heads} heads are in the chain; ${words}`);
  }
  return fail(
    'heads.log',
    missingWords(path, first, missing.length),
    'this is another database, or it was rolled back or rewritten, and no worker of this home settles on it: see "When the database is behind" in docs/operations.md.',
  );
}

/** Those outside, over all networks: who does not hear is told again every minute, as long as a worker runs. */
async function toldFinding(db: Queryable): Promise<Finding> {
  const standings = await witnessStandings(db, null);
  const words = (one: WitnessStanding) => `${one.witness}, network ${one.network}, ${one.behind} behind`;
  const deaf = standings.filter(({ failingSince }) => failingSince !== null);
  if (deaf.length > 0) {
    return fail(
      'witnesses',
      deaf.map((one) => `${words(one)} since ${one.failingSince}: ${one.lastError}`).join('; '),
      'mend it: nothing is lost, since a worker goes on telling it from the chain. One that is no longer configured keeps its row.',
    );
  }
  const late = standings.filter(({ behind }) => behind > 0);
  if (late.length > 0) {
    return warn('witnesses', late.map(words).join('; '), 'start a worker that has them configured.');
  }
  if (standings.length > 0) return ok('witnesses', `${standings.length} outside were told everything`);
  return ok('witnesses', 'none is configured but heads.log (docs/operations.md, Backups and witnesses)');
}

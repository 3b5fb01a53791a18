import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { openPool } from '../../src/store/pool';
import { type PersonRole, readingRole } from '../../src/store/rights';
import type { TestDatabase } from '../harness/databases';

/** A person with a login of its own, as on a server that is not the embedded one. */
export interface Person {
  /** The login's name, which is the actor. */
  readonly actor: string;
  readonly pool: Pool;
  /** Connection string of the login. */
  readonly url: string;
  leave(): Promise<void>;
}

/** Makes a login that is a member of those roles and of nothing else. */
export async function person(
  database: TestDatabase,
  roles: readonly (PersonRole | 'settle_worker')[],
): Promise<Person> {
  const actor = `p_${randomBytes(5).toString('hex')}`;
  await database.superuser.query(`create role ${actor} login noinherit nosuperuser password 'unused'`);
  for (const role of roles) await database.superuser.query(`grant ${role} to ${actor} with inherit false, set true`);
  const url = new URL(database.url);
  url.username = actor;
  url.password = 'unused';
  const role = roles.includes('settle_worker') ? 'settle_worker' : await readingRole(url.toString());
  const pool = openPool({ url: url.toString(), role, applicationName: actor, onIdleError: () => undefined, max: 2 });
  return {
    actor,
    pool,
    url: url.toString(),
    async leave() {
      await pool.end();
      await database.superuser.query(`drop role ${actor}`);
    },
  };
}

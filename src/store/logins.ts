import { Client, escapeLiteral } from 'pg';
import { PERSON_ROLES } from './rights';

/** The login of the embedded default: no superuser, and no right of its own but to take one of the roles. */
export const EMBEDDED_LOGIN = 'settle_login';

/** Connection string of the embedded server's login, which need not be there yet. */
export function loginUrl(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  url.username = EMBEDDED_LOGIN;
  return url.toString();
}

/**
 * Makes the embedded server's login and returns its connection string. Role statements take no parameters, so the
 * password is quoted by the driver.
 */
export async function ensureLogin(superuserUrl: string, databaseUrl: string): Promise<string> {
  const url = new URL(databaseUrl);
  const client = new Client({ connectionString: superuserUrl });
  await client.connect();
  try {
    await client.query(`
      do $$ begin create role ${EMBEDDED_LOGIN} login noinherit nosuperuser; exception when duplicate_object then null; end $$`);
    await client.query(`alter role ${EMBEDDED_LOGIN} password ${escapeLiteral(decodeURIComponent(url.password))}`);
    await client.query(`grant settle_worker, ${PERSON_ROLES.join(', ')} to ${EMBEDDED_LOGIN}`);
  } finally {
    await client.end();
  }
  return loginUrl(databaseUrl);
}

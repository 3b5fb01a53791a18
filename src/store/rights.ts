import { Client, type Pool, type PoolClient } from 'pg';
import { StoreError } from './errors';
import { type Queryable, transaction } from './pool';

/** The roles of people, the one with the fewest rights first (migration 0010). */
export const PERSON_ROLES = [
  'settle_viewer',
  'settle_auditor',
  'settle_operator',
  'settle_approver',
  'settle_policy_admin',
] as const;
export type PersonRole = (typeof PERSON_ROLES)[number];

/** What a person of a role does, for those who lack it. */
const DOES: Readonly<Record<PersonRole, string>> = {
  settle_viewer: 'looks',
  settle_auditor: 'reads and verifies the audit log',
  settle_operator: 'loads inputs, asks for runs, opens disputes and makes batches',
  settle_approver: 'decides holds, disputes and batches, and closes epochs',
  settle_policy_admin: 'makes networks and their policies',
};

/** Roles that the login of this session may take, fewest rights first. */
export async function rolesOfLogin(db: Queryable): Promise<readonly PersonRole[]> {
  const found = await db.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname = any($1::text[]) and pg_has_role(session_user, oid, 'member')`,
    [PERSON_ROLES],
  );
  const held = new Set(found.rows.map((row) => row.rolname));
  return PERSON_ROLES.filter((role) => held.has(role));
}

/**
 * Goes on with the rights of `role` until the transaction ends: a command names the role that it takes, and PostgreSQL
 * says whether the login is a member of it.
 * @throws StoreError `RightMissing`
 */
export async function actAs(client: Queryable, role: PersonRole): Promise<void> {
  try {
    await client.query(`select set_config('role', $1, true)`, [role]);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === '42501' || code === '22023') throw rightMissing(role);
    throw error;
  }
}

/** One transaction with the rights of `role`, and of no other. @throws StoreError `RightMissing` */
export function transactionAs<T>(pool: Pool, role: PersonRole, work: (client: PoolClient) => Promise<T>): Promise<T> {
  return transaction(pool, async (client) => {
    await actAs(client, role);
    return work(client);
  });
}

/** For acts outside the database, before they are done. @throws StoreError `RightMissing` */
export function requireRole(pool: Pool, role: PersonRole): Promise<void> {
  return transactionAs(pool, role, async () => undefined);
}

/**
 * The role that a login reads with: the one with the fewest rights that it may take.
 * @throws StoreError `RightMissing`: it may take none
 */
export async function readingRole(url: string): Promise<PersonRole> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const [fewest] = await rolesOfLogin(client);
    if (fewest !== undefined) return fewest;
  } finally {
    await client.end();
  }
  throw rightMissing('settle_viewer');
}

function rightMissing(role: PersonRole): StoreError {
  return new StoreError(
    'RightMissing',
    `this takes the role ${role}, which ${DOES[role]}, and your login is no member of it: somebody who is does it, or an administrator runs \`grant ${role} to LOGIN with inherit false, set true\``,
  );
}

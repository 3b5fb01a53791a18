import { StoreError } from './errors';
import type { Queryable } from './pool';

/** Who asked for something, and exactly for what; written before it starts. */
export interface Request {
  readonly requestId: string;
  readonly network: string;
  readonly action: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly actor: string;
  readonly requestedAt: string;
}

const COLUMNS = `request_id as "requestId", network, action, body, actor,
  to_char(requested_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "requestedAt"`;

export async function findRequest(db: Queryable, requestId: string): Promise<Request | null> {
  const found = await db.query<Request>(`select ${COLUMNS} from request where request_id = $1`, [requestId]);
  return found.rows[0] ?? null;
}

/**
 * Writes a request, or finds the same one of the same person again. Returns whether it is new.
 * @throws StoreError RequestConflict if the id stands for another request, or for somebody else's: its first answer is
 *   not this one's, nor may what follows be done in the other's name.
 */
export async function insertRequest(db: Queryable, request: Omit<Request, 'requestedAt'>): Promise<boolean> {
  const body = JSON.stringify(request.body);
  const inserted = await db.query(
    `insert into request (request_id, network, action, body, actor) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [request.requestId, request.network, request.action, body, request.actor],
  );
  if (inserted.rowCount === 1) return true;
  const same = await db.query<{ actor: string }>(
    `select actor from request where request_id = $1 and network = $2 and action = $3 and body = $4::jsonb`,
    [request.requestId, request.network, request.action, body],
  );
  const by = same.rows[0]?.actor;
  if (by === request.actor) return false;
  throw new StoreError(
    'RequestConflict',
    `request id ${request.requestId} was used before ${by === undefined ? 'for something else' : `by ${by}`}: use a new id for a new request`,
  );
}

/**
 * A request that was written before with the same body; null: it is new. What it met then, as the digest that was held,
 * stands in its body too: the caller names it by `met` and leaves it out of `request`.
 * @throws StoreError RequestConflict if the id stands for another request.
 */
export async function findSameRequest(
  db: Queryable,
  request: Omit<Request, 'requestedAt'>,
  met: string,
): Promise<Request | null> {
  const known = await findRequest(db, request.requestId);
  if (known === null) return null;
  await insertRequest(db, { ...request, body: { ...request.body, [met]: known.body[met] } });
  return known;
}

/** Action of the requests to settle a failed epoch again. */
export const AGAIN = 'epoch-again';

/** The newest request to settle an epoch again after exactly that failure; null: nobody asked. */
export async function findAgainRequest(
  db: Queryable,
  network: string,
  epoch: number,
  failureNo: number,
): Promise<string | null> {
  const found = await db.query<{ requestId: string }>(
    `select request_id as "requestId" from request
     where network = $1 and action = $2 and body ->> 'epoch' = $3::text and body ->> 'failureNo' = $4::text
     order by requested_at desc limit 1`,
    [network, AGAIN, String(epoch), String(failureNo)],
  );
  return found.rows[0]?.requestId ?? null;
}

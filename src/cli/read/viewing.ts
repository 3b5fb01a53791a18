import type { Pool } from 'pg';
import type { Io } from '../io';
import { withDatabase } from '../open';

/** Reads with the rights of a viewer: a command that only looks cannot change anything, whatever goes wrong in it. */
export function withViewer<T>(io: Io, read: (db: Pool) => Promise<T>): Promise<T> {
  return withDatabase(io, ({ pool }) => read(pool), { role: 'settle_viewer' });
}

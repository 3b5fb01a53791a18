import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';

/** What a command works with. Commands are shared by the command line and the API; neither is known here. */
export interface CommandContext {
  /** With the rights of a viewer: a command that changes something takes its role for its own transaction. */
  readonly pool: Pool;
  /** Who acts: the database's login role or, in the embedded default, the operating system's user. */
  readonly actor: string;
}

/** For commands that start or update workflows. */
export interface WorkflowContext extends CommandContext {
  readonly temporal: Client;
}

/** A fault that the settlement has to survive, in a few words; and why no test names it, where that is on purpose. */
export interface Fault {
  readonly id: string;
  readonly fault: string;
  /** Why there is no test of its own; absent: there has to be one. */
  readonly reason?: string;
}

const of = (id: string, fault: string, reason?: string): Fault =>
  reason === undefined ? { id, fault } : { id, fault, reason };

/** In the order of the table in docs/reliability.md. */
export const FAULTS: readonly Fault[] = [
  of('F1', 'a worker is killed after COPY and before COMMIT'),
  of('F2', 'a worker is killed after COMMIT and before it reports'),
  of('F3', 'a worker is killed while it computes'),
  of('F4', 'no worker is up over a tick of the schedule'),
  of('F5', 'a worker is told to stop in the middle of an epoch'),
  of('F6', 'PostgreSQL ends a connection in a transaction'),
  of('F7', 'PostgreSQL crashes and recovers'),
  of('F8', 'the answer to COMMIT is lost'),
  of('F9', 'the database is full or read-only for a while'),
  of('F10', 'the database is slow, or cut off in the middle'),
  of('F11', 'pool exhausted, deadlock, serialization failure, lock time-out'),
  of('F12', 'the database is restored to a state before the last publication'),
  of('F13', 'Temporal is killed and started again'),
  of('F14', 'Temporal cannot be reached for long'),
  of('F15', 'Temporal loses everything it knew'),
  of('F16', 'a worker with other workflow code takes over'),
  of('F17', 'the embedded PostgreSQL outlives its parent'),
  of('F20', 'the schedule fires twice for one tick'),
  of('F21', 'a run is triggered several times in a second'),
  of('F22', 'an epoch still runs when the next is due'),
  of('F23', 'clocks differ, step, or have another time zone'),
  of('F24', 'two operators run the same epoch at once'),
  of('F25', 'an epoch is corrected while a later one is computed'),
  of('F26', 'the same request is sent twice'),
  of('F27', 'a run is cancelled or terminated in the middle'),
  of('F28', 'transactions see each other half done'),
  of('F30', 'metrics that are no numbers'),
  of('F31', 'numbers that are too large'),
  of('F32', 'numbers with too many decimals'),
  of('F33', 'no supply, no demand, no provider'),
  of('F34', 'the same row twice, with equal or other values'),
  of('F35', 'identifiers that look alike'),
  of('F36', 'identifiers that would end a COPY line'),
  of('F37', 'payloads that grow with the network'),
  of('F38', 'rows that arrive after sealing'),
  of('F39', 'a source is silent or partly silent'),
  of('F40', 'sources disagree'),
  of('F41', 'a policy changes in the middle of an epoch'),
  of('F42', 'many epochs are caught up after a gap'),
  of('F43', 'the rest of a division'),
  of('F44', 'another order of rows, size of chunks or number of workers'),
  of('F45', 'old code on a new schema, and the other way round'),
  of('S1', 'SQL in identifiers, filters and sort keys'),
  of('S2', 'somebody pays, runs again or changes a policy without the right to'),
  of('S3', 'somebody speaks to Temporal directly'),
  of('S4', 'rows are changed behind the back of the system'),
  of('S5', 'the history of a run is changed'),
  of('S6', 'the whole database is set back'),
  of('S8', 'a provider is split in many, or many are joined'),
];

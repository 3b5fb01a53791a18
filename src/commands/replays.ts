import type { PoolClient } from 'pg';
import type { AuditLogWalk } from '../audit/audit-log';
import type { Dossier } from '../audit/dossier';
import { type CheckOutcome, checked, Skipped } from '../audit/outcomes';
import { findWorkflowBundle } from '../store/history-archive';

type Archive = NonNullable<Dossier['archive']>;

/** Replays histories against a workflow bundle: by run id, what differed, or null. */
export type Replay = (
  code: string,
  runs: readonly Pick<Archive, 'workflowId' | 'runId' | 'json'>[],
) => Promise<ReadonlyMap<string, string | null>>;

interface Waiting {
  readonly epoch: number;
  readonly revision: number;
  readonly archive: Archive;
  readonly bundleHash: string;
}

/** Histories replayed in one go: few enough to begin early, many enough that loading their bundle does not count. */
const REPLAYED_TOGETHER = 32;

/**
 * `replay`: the archived histories, gathered bundle by bundle and replayed while the epochs that follow are checked. At
 * most two batches are held in memory: one that is replayed, and one that fills.
 */
export class Replays {
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly done: CheckOutcome[] = [];
  private underWay: Promise<readonly CheckOutcome[]> | null = null;

  constructor(
    private readonly client: PoolClient,
    private readonly log: AuditLogWalk,
    private readonly replay: Replay,
  ) {}

  async add({ epoch, revision, archive }: Dossier): Promise<void> {
    if (archive === null || archive.bundleHash === null) {
      this.done.push(checked('replay', { epoch, revision }, () => skipped(archive)));
      return;
    }
    const { bundleHash } = archive;
    const batch = this.waiting.get(bundleHash) ?? [];
    this.waiting.set(bundleHash, batch);
    batch.push({ epoch, revision, archive, bundleHash });
    if (batch.length >= REPLAYED_TOGETHER) await this.begin(bundleHash);
  }

  /** Ends what is left. */
  async outcomes(): Promise<readonly CheckOutcome[]> {
    for (const bundleHash of [...this.waiting.keys()]) await this.begin(bundleHash);
    await this.taken();
    return this.done;
  }

  private async begin(bundleHash: string): Promise<void> {
    const batch = this.waiting.get(bundleHash) ?? [];
    this.waiting.delete(bundleHash);
    await this.taken();
    this.underWay = this.replayed(bundleHash, batch);
    // It is waited for later; until then its failure is not one that nobody handles.
    this.underWay.catch(() => undefined);
  }

  private async taken(): Promise<void> {
    this.done.push(...((await this.underWay) ?? []));
    this.underWay = null;
  }

  private async replayed(bundleHash: string, batch: readonly Waiting[]): Promise<readonly CheckOutcome[]> {
    const code = await this.code(bundleHash);
    if (typeof code !== 'string') return batch.map((run) => checked('replay', run, () => this.withoutCode(run, code)));
    const verdicts = await this.replay(
      code,
      batch.map(({ archive }) => archive),
    );
    return batch.map((run) => checked('replay', run, () => verdictOf(run, verdicts.get(run.archive.runId))));
  }

  /** An Error: what is stored is not what its hash names. */
  private async code(bundleHash: string): Promise<string | null | Error> {
    return findWorkflowBundle(this.client, bundleHash).catch((error: Error) => error);
  }

  private withoutCode({ bundleHash }: Waiting, why: null | Error): string {
    if (why !== null) throw why;
    this.log.requireNeverKept(bundleHash);
    throw new Skipped(`the workflow bundle ${bundleHash} was never stored here`);
  }
}

function skipped(archive: Archive | null): never {
  throw new Skipped(
    archive === null ? 'no history of the run that published it is archived' : 'its history names no workflow bundle',
  );
}

function verdictOf({ archive, bundleHash }: Waiting, verdict: string | null | undefined): string {
  if (verdict === null) return `run ${archive.runId} does the same on bundle ${bundleHash}`;
  throw new Error(`the replay of run ${archive.runId} does other things than the run did: ${verdict ?? 'no verdict'}`);
}

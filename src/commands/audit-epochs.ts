import type { PoolClient } from 'pg';
import { AuditLogWalk } from '../audit/audit-log';
import { checkDossier } from '../audit/check-dossier';
import { checkHistory } from '../audit/check-history';
import { requireSame } from '../audit/difference';
import type { Dossier } from '../audit/dossier';
import { DossierLoader, type Publication } from '../audit/load-dossier';
import { CHECKS, type CheckOutcome, checked, Skipped } from '../audit/outcomes';
import { contentDigestOf } from '../audit/records';
import { readWitness, requireWitnessed } from '../audit/witness';
import { readPolicyYaml } from '../inputs/policy-file';
import { canonicalJson } from '../proofs/canonical-json';
import { verifyChain } from '../proofs/chain';
import type { Hashes } from '../proofs/hashes';
import { auditRows } from '../store/audit-log';
import { claimsHeads, type StoredEntry } from '../store/chain';
import { findWorkflowBundle } from '../store/history-archive';
import { getPolicy } from '../store/policies';
import { unchangingView } from '../store/pool';
import { actAs } from '../store/rights';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import type { EpochRange } from './run-epochs';

/** What an audit needs besides the database. */
export interface AuditTools {
  readonly hashes: Hashes;
  /** Text of the witness file; null: there is none. */
  readonly witness: string | null;
  /** Replays histories against a workflow bundle: by run id, what differed, or null. */
  readonly replay: (
    code: string,
    runs: readonly { readonly workflowId: string; readonly runId: string; readonly json: string }[],
  ) => Promise<ReadonlyMap<string, string | null>>;
  /** Told after each revision. */
  readonly progress?: (epoch: number) => void;
}

const WHOLE = { epoch: null, revision: null };

/** Histories that wait for a replay; so many are held in memory at once. */
const REPLAYED_TOGETHER = 200;

/**
 * Audits every published revision of a range of epochs, from one unchanging view of the database. Changes nothing.
 * @throws CommandError `NothingPublished` if the range has no published epoch
 */
export async function auditEpochs(
  context: Pick<CommandContext, 'pool'>,
  network: string,
  range: EpochRange,
  tools: AuditTools,
): Promise<readonly CheckOutcome[]> {
  return unchangingView(context.pool, async (client) => {
    await actAs(client, 'settle_auditor');
    const loader = await DossierLoader.open(client, network);
    const publications = loader.publications(range.first, range.last);
    if (publications.length === 0) {
      throw new CommandError(
        'NothingPublished',
        `no epoch of ${range.first}..${range.last} is published in ${network}`,
      );
    }
    const audit = new Audit(client, loader, tools);
    const outcomes = [...(await audit.whole()), ...(await audit.revisions(publications))];
    return outcomes.sort((a, b) => orderOf(a) - orderOf(b));
  });
}

/** By epoch and revision, and within by the order of the checks; what is about everything comes first. */
function orderOf({ epoch, revision, check }: CheckOutcome): number {
  return ((epoch ?? -1) * 1_000 + (revision ?? 0)) * 100 + CHECKS.indexOf(check);
}

/** What stands beside an entry that hashes to its head follows from it, and claims belong to the revision before them. */
function requireColumns(hashes: Hashes, chain: readonly StoredEntry[]): void {
  chain.forEach((entry, index) => {
    const place = { table: 'chain_entry', row: String(entry.position) };
    requireSame(place, 'content_digest', entry.contentDigest, contentDigestOf(entry, hashes));
    if (entry.kind === 'claims') requireSame(place, 'computation', entry.computation, chain[index - 1]!.computation);
  });
}

class Audit {
  private readonly log: AuditLogWalk;
  private readonly policies = new Set<string>();
  private waiting: Dossier[] = [];

  constructor(
    private readonly client: PoolClient,
    private readonly loader: DossierLoader,
    private readonly tools: AuditTools,
  ) {
    this.log = new AuditLogWalk(loader.network, tools.hashes);
  }

  /** What is checked once: the chain from end to end, the audit log, the witness. */
  async whole(): Promise<readonly CheckOutcome[]> {
    const log = await this.walkLog();
    const heads = await claimsHeads(this.client);
    return [
      checked('chain', WHOLE, () => {
        const { fault, entries, head } = verifyChain(this.tools.hashes, this.loader.chain);
        if (fault !== null) throw new Error(`position ${fault.index + 1}: ${fault.reason}`);
        requireColumns(this.tools.hashes, this.loader.chain);
        return `${entries} entries from the first to head ${head}`;
      }),
      log,
      checked('witness', WHOLE, () => {
        if (this.tools.witness === null) throw new Skipped('there is no witness file; name one with --witness FILE');
        return requireWitnessed(readWitness(this.tools.witness), heads);
      }),
    ];
  }

  private async walkLog(): Promise<CheckOutcome> {
    let failed: unknown = null;
    for (let more = true; more && failed === null; ) {
      const rows = await auditRows(this.client, this.log.rows, 5_000);
      try {
        for (const row of rows) this.log.take(row);
      } catch (error) {
        failed = error;
      }
      more = rows.length > 0;
    }
    return checked('audit-log', WHOLE, () => {
      if (failed !== null) throw failed;
      return `${this.log.rows} rows chained`;
    });
  }

  async revisions(publications: readonly Publication[]): Promise<CheckOutcome[]> {
    const outcomes: CheckOutcome[] = [];
    for (const publication of publications) {
      const dossier = await this.load(publication);
      if ('outcome' in dossier) {
        outcomes.push(dossier);
        continue;
      }
      outcomes.push(...checkDossier(dossier, this.tools.hashes));
      outcomes.push(checked('audit-log', dossier, () => this.log.requirePublication(dossier)));
      outcomes.push(...(await this.policySource(dossier)));
      this.waiting.push(dossier);
      if (this.waiting.length >= REPLAYED_TOGETHER) outcomes.push(...(await this.histories()));
      this.tools.progress?.(dossier.epoch);
    }
    outcomes.push(...(await this.histories()));
    return outcomes;
  }

  /** Rows that cannot even be read together are a finding, not an error. */
  private async load(publication: Publication): Promise<Dossier | CheckOutcome> {
    try {
      return await this.loader.load(publication);
    } catch (error) {
      return checked('rows', publication, () => {
        throw error;
      });
    }
  }

  /** The YAML that was given says what its canonical text says. */
  private async policySource({ policy }: Dossier): Promise<readonly CheckOutcome[]> {
    if (this.policies.has(policy.hash)) return [];
    this.policies.add(policy.hash);
    const { source } = await getPolicy(this.client, policy.hash);
    return [
      checked('policy', WHOLE, () => {
        if (canonicalJson(readPolicyYaml(source, 'policy').document) === policy.canonical)
          return `source of ${policy.hash}`;
        throw new Error(`policy ${policy.hash}, source: the YAML is not the document that the hash names`);
      }),
    ];
  }

  private async histories(): Promise<readonly CheckOutcome[]> {
    const dossiers = this.waiting;
    this.waiting = [];
    const verdicts = await this.replayed(dossiers);
    return dossiers.map((dossier) =>
      checked('history', dossier, () => {
        const compared = checkHistory(dossier, this.tools.hashes);
        const archive = dossier.archive!;
        this.log.requireArchive(archive.runId, archive.sha256);
        const verdict = verdicts.get(archive.runId);
        if (verdict === undefined)
          return `${compared}; not replayed: its workflow bundle ${archive.bundleHash} is not here`;
        if (verdict === null) return `${compared}; replayed against bundle ${archive.bundleHash}`;
        throw new Error(`the replay of run ${archive.runId} does other things than the run did: ${verdict}`);
      }),
    );
  }

  /** Replays what is archived, bundle by bundle. */
  private async replayed(dossiers: readonly Dossier[]): Promise<ReadonlyMap<string, string | null>> {
    const byBundle = new Map<string, NonNullable<Dossier['archive']>[]>();
    for (const { archive } of dossiers) {
      if (archive?.bundleHash == null) continue;
      byBundle.set(archive.bundleHash, [...(byBundle.get(archive.bundleHash) ?? []), archive]);
    }
    const verdicts = new Map<string, string | null>();
    for (const [hash, runs] of byBundle) {
      const code = await findWorkflowBundle(this.client, hash);
      if (code === null) continue;
      for (const [runId, verdict] of await this.tools.replay(code, runs)) verdicts.set(runId, verdict);
    }
    return verdicts;
  }
}

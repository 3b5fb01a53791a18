import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { AuditLogWalk } from '../audit/audit-log';
import { dossierOutcomes } from '../audit/check-dossier';
import { checkHistory } from '../audit/check-history';
import { policyOf } from '../audit/check-policy';
import type { RecordedFailure } from '../audit/decision-log';
import { Mismatch, NO_ROW, requireSame } from '../audit/difference';
import type { Dossier } from '../audit/dossier';
import { DossierLoader, type Publication } from '../audit/load-dossier';
import { CHECKS, type CheckOutcome, checked, Skipped } from '../audit/outcomes';
import { contentDigestOf, contentOf } from '../audit/records';
import { readWitness, requireWitnessed } from '../audit/witness';
import { readPolicyYaml } from '../inputs/policy-file';
import { canonicalJson } from '../proofs/canonical-json';
import { verifyChain } from '../proofs/chain';
import type { Hashes } from '../proofs/hashes';
import { requireRows } from '../store/archives';
import { auditRows } from '../store/audit-log';
import { claimsHeads, type StoredEntry } from '../store/chain';
import { type DecidedDispute, everyDispute } from '../store/disputes';
import { StoreError } from '../store/errors';
import { everyFailure } from '../store/failures';
import { getPolicy, listEffectivePolicies } from '../store/policies';
import { unchangingView } from '../store/pool';
import { actAs } from '../store/rights';
import { decidedBatches } from './batch-digests';
import type { CommandContext } from './context';
import { CommandError } from './errors';
import { type Replay, Replays } from './replays';
import type { EpochRange } from './run-epochs';

/** What an audit needs besides the database. */
export interface AuditTools {
  readonly hashes: Hashes;
  /** Text of the witness file; null: there is none. */
  readonly witness: string | null;
  readonly replay: Replay;
  /** Told after each revision. */
  readonly progress?: (epoch: number) => void;
}

const WHOLE = { epoch: null, revision: null };

/**
 * Audits every published revision of a range of epochs, from one unchanging view of the database. Changes nothing.
 * @throws CommandError `NothingPublished` if the range has no published epoch; StoreError `EpochArchived`
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
    const failures = await everyFailure(client, network, range.first, range.last);
    if (publications.length === 0 && failures.length === 0) {
      throw new CommandError(
        'NothingPublished',
        `no epoch of ${range.first}..${range.last} is published or failed in ${network}: see \`settle epoch list --network ${network}\``,
      );
    }
    await requireRows(client, range.first, range.last);
    const audit = new Audit(client, loader, tools);
    const outcomes = [
      ...(await audit.whole()),
      ...(await audit.revisions(publications)),
      ...audit.failed(range, failures),
      ...audit.disputed(range, await everyDispute(client, network, range.first, range.last)),
    ];
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
    const { content, previousHead } = contentOf(entry);
    requireSame(place, 'position', entry.position, index + 1);
    requireSame(place, 'kind', entry.kind, content.kind);
    requireSame(place, 'epoch', entry.epoch, content.epoch);
    requireSame(place, 'revision', entry.revision, content.revision);
    requireSame(place, 'previous_head', entry.previousHead, previousHead);
    requireSame(place, 'content_digest', entry.contentDigest, contentDigestOf(entry, hashes));
    if (entry.kind === 'claims') requireSame(place, 'computation', entry.computation, chain[index - 1]!.computation);
  });
}

class Audit {
  private readonly log: AuditLogWalk;
  private readonly policies = new Set<string>();
  private readonly replays: Replays;

  constructor(
    private readonly client: PoolClient,
    private readonly loader: DossierLoader,
    private readonly tools: AuditTools,
  ) {
    this.log = new AuditLogWalk(loader.network, tools.hashes);
    this.replays = new Replays(client, this.log, tools.replay);
  }

  /** What is checked once: the chain from end to end, the audit log, the witness. */
  async whole(): Promise<readonly CheckOutcome[]> {
    const log = await this.walkLog();
    const heads = await claimsHeads(this.client);
    const { calendar } = this.loader;
    const policies = await listEffectivePolicies(this.client, calendar.network);
    const batches = await decidedBatches(this.client, calendar.network);
    return [
      checked('chain', WHOLE, () => {
        const { fault, entries, head } = verifyChain(this.tools.hashes, this.loader.chain);
        if (fault !== null) {
          const stored = this.loader.chain[fault.index]?.entry ?? NO_ROW;
          const row = String(fault.index + 1);
          throw new Mismatch({ table: 'chain_entry', row, column: 'entry', stored, recomputed: fault.reason });
        }
        requireColumns(this.tools.hashes, this.loader.chain);
        return `${entries} entries from the first to head ${head}`;
      }),
      log,
      checked('audit-log', WHOLE, () => this.log.decisions.requireNetwork(calendar)),
      checked('audit-log', WHOLE, () => this.log.decisions.requirePolicies(calendar, policies)),
      checked('audit-log', WHOLE, () => this.log.decisions.requireBatches(batches)),
      checked('witness', WHOLE, () => {
        if (this.tools.witness === null) throw new Skipped('there is no witness file; name one with --witness FILE');
        const witnessed = readWitness(this.tools.witness);
        // A file without a head proves nothing, and a wrong file should not look like a good one.
        if (witnessed.length === 0) throw new Skipped('the witness file has no line of a head');
        return requireWitnessed(witnessed, heads);
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
    let loading: Promise<Dossier | CheckOutcome> | null = null;
    for (const [index, publication] of publications.entries()) {
      const dossier = await (loading ?? this.load(publication));
      const following = publications[index + 1];
      // The database reads the next one while this one is computed; between two checks its answers are taken.
      loading = following === undefined ? null : this.load(following);
      // Its error is told when its turn comes.
      loading?.catch(() => undefined);
      outcomes.push(...('outcome' in dossier ? [dossier] : await this.checks(dossier)));
      this.tools.progress?.(publication.epoch);
    }
    return [...outcomes, ...(await this.replays.outcomes())];
  }

  /** Epochs that ended as failed: nothing of them is published, so what is left to check is the decision. */
  failed({ first, last }: EpochRange, failures: readonly RecordedFailure[]): readonly CheckOutcome[] {
    const epochs = new Set([...failures.map(({ epoch }) => epoch), ...this.log.decisions.failedEpochs(first, last)]);
    return [...epochs].map((epoch) =>
      checked('audit-log', { epoch, revision: null }, () =>
        this.log.decisions.requireFailures(
          epoch,
          failures.filter((one) => one.epoch === epoch),
        ),
      ),
    );
  }

  /** Every dispute and every decision on it, whether it was published or not. */
  disputed({ first, last }: EpochRange, disputes: readonly DecidedDispute[]): readonly CheckOutcome[] {
    const { decisions } = this.log;
    const recorded = new Map(disputes.map((one) => [`${one.epoch}/${one.dispute}`, one]));
    const lost = decisions
      .loggedDisputes(first, last)
      .filter(({ epoch, dispute }) => !recorded.has(`${epoch}/${dispute}`));
    return [...disputes, ...lost].map(({ epoch, dispute }) =>
      checked('audit-log', { epoch, revision: null }, () =>
        decisions.requireDispute(epoch, dispute, recorded.get(`${epoch}/${dispute}`)),
      ),
    );
  }

  private async checks(dossier: Dossier): Promise<readonly CheckOutcome[]> {
    const outcomes: CheckOutcome[] = [];
    for (const outcome of dossierOutcomes(dossier, this.tools.hashes)) {
      outcomes.push(outcome);
      await nextTurn();
    }
    outcomes.push(
      checked('history', dossier, () => {
        // What differs in a history is named before its hash is: that says only that something does.
        if (dossier.archive === null) this.log.requireArchive(dossier);
        const compared = checkHistory(dossier, this.tools.hashes);
        this.log.requireArchive(dossier);
        return compared;
      }),
      checked('audit-log', dossier, () => this.log.requirePublication(dossier)),
      ...(await this.policySource(dossier)),
    );
    await this.replays.add(dossier);
    return outcomes;
  }

  /** Rows that cannot even be read together are a finding, not an error. */
  private async load(publication: Publication): Promise<Dossier | CheckOutcome> {
    try {
      return await this.loader.load(publication);
    } catch (error) {
      // What is outside is no finding either: it has to be brought.
      if (error instanceof StoreError && error.id === 'EpochArchived') throw error;
      return checked('rows', publication, () => {
        throw error;
      });
    }
  }

  /** The YAML that was given says what its canonical text says; no policy changes the calendar (spec §2). */
  private async policySource(dossier: Dossier): Promise<readonly CheckOutcome[]> {
    const { policy } = dossier;
    if (this.policies.has(policy.hash)) return [];
    this.policies.add(policy.hash);
    const { source } = await getPolicy(this.client, policy.hash);
    return [
      checked('policy', WHOLE, () => {
        const { genesisSeconds, lengthSeconds } = policyOf(dossier).epoch;
        const { network, ...calendar } = this.loader.calendar;
        requireSame({ table: 'network', row: network }, 'genesis', calendar.genesisSeconds, genesisSeconds);
        requireSame({ table: 'network', row: network }, 'length_seconds', calendar.lengthSeconds, lengthSeconds);
        if (canonicalJson(readPolicyYaml(source, 'policy').document) === policy.canonical)
          return `source of ${policy.hash}, and the calendar of the network`;
        throw new Error(`policy ${policy.hash}, source: the YAML is not the document that the hash names`);
      }),
    ];
  }
}

import type { PoolClient } from 'pg';
import { SNAPSHOT_TABLES, type SnapshotTable } from '../proofs/digests';
import type { DerivationText } from '../rulesets/1/derivation-text';
import { entriesFrom, type StoredEntry } from '../store/chain';
import { type ComputationHeader, type ComputationKey, getComputation } from '../store/computations';
import { getDispute } from '../store/disputes';
import {
  derivedClaims,
  holdWithDecision,
  journalPostings,
  keptClaims,
  olderPricing,
  payeesOfPayouts,
  payoutLines,
  publishedPriceLines,
} from '../store/dossiers';
import { StoreError } from '../store/errors';
import { failedEpochs } from '../store/history';
import { archivedRun } from '../store/history-archive';
import { getNetwork, type Network } from '../store/networks';
import { getPolicy } from '../store/policies';
import { findResult } from '../store/results';
import { findSeal } from '../store/seals';
import { bindRange, readLines } from '../store/snapshot-rows';
import { findSnapshot } from '../store/snapshots';
import { bookedAccounts, type ClaimAccounts } from './check-claims';
import { policyOf } from './check-policy';
import type { ChainLink, ClaimState, Dossier, DossierApproval, DossierBase, PublishedRecord } from './dossier';

/** A revision of the chain with its claims entry, if that is there yet. */
export interface Publication extends ComputationKey {
  readonly position: number;
}

/**
 * Loads the dossiers of one network's publications from one unchanging view of the database, in the order of the chain.
 * What neighbours share (chain, price records, the state of the claims) is read once and carried on.
 */
export class DossierLoader {
  private readonly records = new Map<string, PublishedRecord>();
  private loadedFrom: number;
  private claims: { readonly position: number; readonly accounts: ClaimAccounts } | null = null;

  private constructor(
    private readonly client: PoolClient,
    readonly network: string,
    readonly calendar: Network,
    readonly chain: readonly StoredEntry[],
  ) {
    this.loadedFrom = Number.POSITIVE_INFINITY;
  }

  static async open(client: PoolClient, network: string): Promise<DossierLoader> {
    return new DossierLoader(client, network, await getNetwork(client, network), await entriesFrom(client, network, 1));
  }

  /** Published revisions of the epochs of a range, in the order of the chain. */
  publications(first: number, last: number): readonly Publication[] {
    return this.chain
      .filter(({ kind, epoch }) => kind === 'revision' && epoch >= first && epoch <= last)
      .map((entry) => ({ ...entry, network: this.network }));
  }

  async load(key: Publication): Promise<Dossier> {
    const header = await getComputation(this.client, key);
    const seal = await findSeal(this.client, key.network, key.epoch);
    const snapshot = await findSnapshot(this.client, key.network, key.epoch, header.dispute);
    const result = await findResult(this.client, key);
    if (seal === null || snapshot === null || result === null) {
      throw new StoreError('EpochUnknown', `epoch ${key.epoch} is published, but not sealed, digested and checked`);
    }
    const stored = await getPolicy(this.client, header.policyHash);
    const policy = { hash: header.policyHash, canonical: stored.canonical };
    const base = await this.baseOf(key, header);
    const history = await this.historyOf(key, header, policy, base);
    const last = this.chain[key.position] ?? this.chain[key.position - 1]!;
    const dossier = {
      network: key.network,
      epoch: key.epoch,
      revision: key.revision,
      computation: key.computation,
      firstEpoch: this.calendar.firstEpoch,
      policy,
      sealedPolicyHash: seal.policyHash,
      rows: await this.rowsOf(key, seal.registryLoad, header.dispute),
      snapshot,
      header: headerOf(header),
      ...history,
      base,
      prices: (await this.record(key.epoch, key.revision)).prices,
      payouts: await payoutLines(this.client, key),
      result,
      entries: this.slice(key, [...history.older, ...history.records]),
      followedBy: this.chain[last.position]?.previousHead ?? null,
      postings: await journalPostings(this.client, key.network, `publication/${key.epoch}/${key.revision}`),
      approval: await this.approvalOf(key, header),
      failedBelow: [...(await failedEpochs(this.client, key.network, this.calendar.firstEpoch, key.epoch))],
      archive: await archivedRun(this.client, key.network, key.epoch, key.revision),
    };
    return this.withClaims(dossier, key, header);
  }

  private async rowsOf(key: Publication, registryLoad: number, dispute: number): Promise<Dossier['rows']> {
    const { network, epoch } = key;
    await bindRange(this.client, { network, epoch, registryLoad, after: null, upTo: null, dispute });
    const rows = {} as Record<SnapshotTable, readonly string[]>;
    for (const table of SNAPSHOT_TABLES) rows[table] = await readLines(this.client, table, [], dispute);
    return rows;
  }

  /** Price records from `epoch` on are read at once and kept; those below are read when they are asked for. */
  private async ensureRecords(first: number, last: number): Promise<void> {
    const lines = new Map<string, string[]>();
    for (const { epoch, revision, line } of await publishedPriceLines(this.client, this.network, first, last)) {
      const own = lines.get(`${epoch}/${revision}`);
      if (own === undefined) lines.set(`${epoch}/${revision}`, [line]);
      else own.push(line);
    }
    for (const { kind, epoch, revision, entry } of this.chain) {
      if (kind !== 'revision' || epoch < first || epoch > last) continue;
      const key = `${epoch}/${revision}`;
      this.records.set(key, { epoch, revision, entry, prices: lines.get(key) ?? [] });
    }
  }

  private async record(epoch: number, revision: number): Promise<PublishedRecord> {
    const known = this.records.get(`${epoch}/${revision}`);
    if (known !== undefined) return known;
    const highest = this.chain.reduce((most, entry) => Math.max(most, entry.epoch), epoch);
    // The first question asks for everything from there on: the epochs that follow read the same history.
    if (epoch < this.loadedFrom) {
      await this.ensureRecords(epoch, Math.min(highest, this.loadedFrom - 1));
      this.loadedFrom = epoch;
    }
    const found = this.records.get(`${epoch}/${revision}`);
    if (found !== undefined) return found;
    // A computation may name what the chain does not have (any more): that is for the checks to say.
    return { epoch, revision, entry: '{}', prices: [] };
  }

  private async historyOf(
    key: Publication,
    header: ComputationHeader,
    policy: Dossier['policy'],
    base: DossierBase | null,
  ): Promise<Pick<Dossier, 'records' | 'older'>> {
    if (base?.derive === 'pinned') return { records: [], older: [] };
    const records: PublishedRecord[] = [];
    for (const [epoch, revision] of header.history) records.push(await this.record(epoch, revision));
    const priced = new Set(records.flatMap(({ prices }) => prices.map((line) => line.split(',', 1)[0]!)));
    const missing = [...policyOf({ policy }).markets.keys()].filter((market) => !priced.has(market));
    const oldest = records[0]?.epoch ?? 0;
    const older: PublishedRecord[] = [];
    for (const found of await olderPricing(this.client, key.network, missing, oldest, key.position)) {
      const [only] = await this.single(found.epoch, found.revision);
      if (only !== undefined) older.push(only);
    }
    return { records, older };
  }

  /** One old record, without everything that lies between. */
  private async single(epoch: number, revision: number): Promise<PublishedRecord[]> {
    if (!this.records.has(`${epoch}/${revision}`)) await this.ensureRecords(epoch, epoch);
    const found = this.records.get(`${epoch}/${revision}`);
    return found === undefined ? [] : [found];
  }

  private async baseOf(key: Publication, header: ComputationHeader): Promise<DossierBase | null> {
    if (key.revision === 1) return null;
    const dispute = await getDispute(this.client, { ...key, dispute: header.dispute });
    const of = { ...key, revision: dispute.baseRevision, computation: dispute.baseComputation };
    const before = await getComputation(this.client, of);
    return {
      ...(await this.record(of.epoch, of.revision)),
      computation: of.computation,
      derive: dispute.derive,
      derivation: before.derivation as DerivationText,
      historyDigest: before.historyDigest,
      payouts: await payoutLines(this.client, of),
    };
  }

  private async approvalOf(key: Publication, header: ComputationHeader): Promise<DossierApproval> {
    const hold = await holdWithDecision(this.client, key);
    if (header.dispute === 0) return { hold, dispute: null };
    const dispute = await getDispute(this.client, { ...key, dispute: header.dispute });
    const { openedBy, reason, decision, decidedDigest, decidedBy, decidedReason } = dispute;
    return { hold, dispute: { openedBy, reason, decision, decidedDigest, decidedBy, decidedReason } };
  }

  /** The chain from the oldest record to the claims of this publication. */
  private slice(key: Publication, read: readonly PublishedRecord[]): readonly ChainLink[] {
    const names = new Set(read.map(({ epoch, revision }) => `${epoch}/${revision}`));
    const named = ({ epoch, revision }: StoredEntry) => names.has(`${epoch}/${revision}`);
    const oldest = names.size === 0 ? undefined : this.chain.find(named);
    // At least the claims entry before: what payees had until then is compared with its root.
    const from = Math.min(oldest?.position ?? key.position, Math.max(1, key.position - 1));
    return this.chain.slice(from - 1, key.position + 1);
  }

  private async withClaims(
    dossier: Omit<Dossier, 'claims'>,
    key: Publication,
    header: ComputationHeader,
  ): Promise<Dossier> {
    const { base } = dossier;
    const otherPayees = base === null ? {} : await payeesOfPayouts(this.client, key, base, header.dispute);
    const before =
      this.claims?.position === key.position ? statesOf(this.claims.accounts) : await this.claimsBefore(key);
    const stored = (await keptClaims(this.client, key.network, key.position + 1))?.map(stateOf) ?? null;
    const whole: Dossier = { ...dossier, claims: { otherPayees, before, stored } };
    const accounts = bookedAccounts(
      whole,
      new Map(before.map(([p, e, c]) => [p, { entitlement: BigInt(e), cumulative: BigInt(c) }])),
    );
    this.claims = { position: key.position + 2, accounts };
    return whole;
  }

  private async claimsBefore(key: Publication): Promise<readonly ClaimState[]> {
    return (await derivedClaims(this.client, key.network, key.position)).map(stateOf);
  }
}

const stateOf = ({
  payee,
  entitlement,
  cumulative,
}: Record<'payee' | 'entitlement' | 'cumulative', string>): ClaimState => [payee, entitlement, cumulative];

function statesOf(accounts: ClaimAccounts): ClaimState[] {
  return [...accounts].map(([payee, a]) => [payee, a.entitlement.toString(), a.cumulative.toString()]);
}

function headerOf({ derivation, workflowId: _w, runId: _r, ...header }: ComputationHeader): Dossier['header'] {
  return { ...header, derivation: derivation as DerivationText };
}

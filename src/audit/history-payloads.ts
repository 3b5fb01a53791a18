import type { ClaimsContent } from '../proofs/contents';
import { publishedEntry } from './check-digests';
import { requireSameJson } from './difference';
import type { Dossier } from './dossier';
import { COUNT, DIGEST, FLAG, LIST, requireLike } from './likeness';
import { contentOf, pricesRowOf } from './records';
import { type ActivityCall, readHistory } from './workflow-history';

/** What the rows say of a call; `other`: it is about a computation that was superseded, of which nothing is published. */
type Expected = { readonly input: readonly unknown[]; readonly results: readonly unknown[] } | 'other';

/**
 * Compares every activity input and result of a history, and what the workflow was asked and answered, with the rows of
 * a dossier. A replay alone does not see a changed result: it compares the shape of commands.
 *
 * @throws Mismatch naming the event
 */
export function requirePayloads(dossier: Dossier, history: unknown): { readonly activities: number } {
  const read = readHistory(history);
  const { epoch, network } = dossier;
  const [started] = read.input as [Record<string, unknown> | undefined];
  const start = { table: 'history_archive', row: `${dossier.archive?.runId ?? 'run'}, event 1` };
  requireSameJson(start, 'input.network', started?.network, network);
  requireSameJson(start, 'input.epoch', started?.epoch, epoch);
  const facts = factsOf(dossier, started?.requestId);
  let activities = 0;
  for (const call of read.calls) if (requireCall(dossier, facts, call)) activities += 1;
  if (read.result !== 'none') {
    const place = { table: 'history_archive', row: `${dossier.archive?.runId ?? 'run'}, end` };
    requireLike(place, 'result', read.result.value, [workflowAnswer(facts, read.workflowType)]);
  }
  return { activities };
}

function requireCall(dossier: Dossier, facts: Facts, call: ActivityCall): boolean {
  const expected = expectedOf(facts, call);
  if (expected === 'other') return false;
  const row = `${dossier.archive?.runId ?? 'run'}, event ${call.eventId}`;
  const place = { table: 'history_archive', row };
  requireLike(place, `${call.name}.input`, call.input, [expected.input]);
  if (call.result !== 'none') requireLike(place, `${call.name}.result`, call.result.value, expected.results);
  return true;
}

/** What the rows of a dossier say, in the words of the activities' contracts. */
interface Facts {
  readonly dossier: Dossier;
  readonly requestId: unknown;
  readonly ref: Readonly<Record<string, unknown>>;
  readonly key: Readonly<Record<string, unknown>>;
  readonly capped: readonly bigint[];
  readonly head: string;
  readonly claims: ClaimsContent;
  readonly claimsHead: string;
}

function factsOf(dossier: Dossier, requestId: unknown): Facts {
  const { network, epoch, revision, computation, header, entries } = dossier;
  const { entry, index } = publishedEntry(dossier);
  const next = entries[index + 1]!;
  return {
    dossier,
    requestId,
    ref: header.dispute === 0 ? { network, epoch } : { network, epoch, dispute: header.dispute },
    key: { network, epoch, revision, computation },
    capped: cappedByChunk(dossier),
    head: entry.head,
    claims: contentOf(next).content as unknown as ClaimsContent,
    claimsHead: next.head,
  };
}

/** Sum of gross less capCut over each chunk of the reward step, base units. */
function cappedByChunk({ payouts, snapshot }: Dossier): bigint[] {
  const sums = snapshot.chunks.map(() => 0n);
  for (const line of payouts) {
    const [provider, gross, capCut] = line.split(',') as [string, string, string];
    const at = snapshot.chunks.findIndex(({ upTo }) => upTo === null || provider <= upTo);
    sums[at] = (sums[at] ?? 0n) + BigInt(gross) - BigInt(capCut);
  }
  return sums;
}

function expectedOf(facts: Facts, { name, input, result: answer }: ActivityCall): Expected {
  const { dossier, ref, key, requestId } = facts;
  const [first] = input as [Record<string, unknown> | undefined];
  if (first?.computation !== undefined && first.computation !== dossier.computation) return 'other';
  const { snapshot, header, result } = dossier;
  const counts = { providers: snapshot.rowCounts.providers, chunks: snapshot.chunks.length };
  const total = facts.capped.reduce((sum, one) => sum + one, 0n).toString();
  switch (name) {
    case 'gather':
      return { input: [ref, requestId], results: gathered(facts, answer) };
    case 'seal':
      return {
        input: input.length === 1 ? [ref] : [ref, input[1] === null ? null : INPUTS],
        results: [{ policyHash: dossier.sealedPolicyHash, snapshotDigest: snapshot.snapshotDigest, ...counts }],
      };
    case 'correctSnapshot':
      return { input: [ref], results: [{ snapshotDigest: snapshot.snapshotDigest, ...counts }] };
    case 'derive':
    case 'deriveDispute': {
      const prices = dossier.prices.map(pricesRowOf);
      const { historyDigest, history, derivation } = header;
      const made = {
        key,
        checked: FLAG,
        pool: derivation.pool,
        historyDigest,
        historyEpochs: history.length,
        poolLikelyBinds: FLAG,
        prices,
      };
      return { input: [ref, requestId], results: [made] };
    }
    case 'reward': {
      const chunk = input[1] as number;
      const providers = snapshot.chunks[chunk]?.providers;
      const capped = facts.capped[chunk]?.toString();
      return { input: [key, chunk, input[2] === null ? null : total], results: [{ chunk, providers, capped }] };
    }
    // The first of two rounds of rewards, where the pool is likely to bind: what a chunk comes to before any scaling.
    case 'sumChunk': {
      const chunk = input[1] as number;
      const providers = snapshot.chunks[chunk]?.providers;
      return { input: [key, chunk], results: [{ chunk, providers, capped: facts.capped[chunk]?.toString() }] };
    }
    case 'check': {
      const { sum, unallocated } = JSON.parse(result.content) as { sum: string; unallocated: string };
      const { contentDigest, breakers } = result;
      const made = { contentDigest, sum, unallocated, breakers };
      const hold = { deadline: dossier.approval.hold?.deadline, waitSeconds: COUNT };
      const answers = [{ ...made, hold: null }, ...(breakers.length > 0 ? [{ ...made, hold }] : [])];
      return { input: [key, input[1] === null ? null : total, requestId], results: answers };
    }
    default:
      return expectedOfWrites(facts, name, input);
  }
}

function expectedOfWrites(facts: Facts, name: string, input: readonly unknown[]): Expected {
  const { dossier, ref, key, requestId } = facts;
  const { contentDigest } = dossier.result;
  const appended = { kind: 'published', contentDigest, head: facts.head, already: FLAG, recomputed: LIST };
  switch (name) {
    case 'readHold':
      return { input: [key], results: ['open', dossier.approval.hold?.decision] };
    case 'publish':
      return { input: [key, contentDigest, requestId], results: [appended] };
    case 'publishDispute':
      return { input: [ref, key, contentDigest], results: [{ ...appended, disputes: LIST }] };
    case 'readDispute':
      return {
        input: [ref, input[1] === null ? null : key],
        results: [
          { state: 'open' },
          { state: 'approved' },
          { state: 'published', key, contentDigest, recomputed: LIST, disputes: LIST },
        ],
      };
    case 'prove':
      return {
        input: [key, requestId],
        results: [{ head: facts.claimsHead, root: facts.claims.root, payees: facts.claims.payees }],
      };
    default:
      throw new Error(`the history has an activity ${name}, which no run that publishes takes`);
  }
}

/** Which inputs were judged complete. */
const INPUTS = { policyHash: DIGEST, loads: COUNT };

/** Where the inputs stood then is kept by no row: what it says of an epoch that was closed already is. */
function gathered(facts: Facts, answer: ActivityCall['result']): readonly unknown[] {
  const { inputs } = (answer === 'none' ? {} : answer.value) as { readonly inputs?: unknown };
  return [
    // Runs of before inputs were judged once more at the seal do not have them.
    { kind: 'ready', missing: LIST, ...(inputs === undefined ? {} : { inputs: inputs === null ? null : INPUTS }) },
    { kind: 'waiting', missing: LIST, recheckSeconds: COUNT },
    { kind: 'closed', answer: { ...published(facts), head: facts.head } },
  ];
}

function published({ dossier, claimsHead }: Facts): Readonly<Record<string, unknown>> {
  const { epoch, revision, result } = dossier;
  return { kind: 'published', epoch, revision, contentDigest: result.contentDigest, head: claimsHead };
}

function workflowAnswer(facts: Facts, workflowType: string): unknown {
  const answer = published(facts);
  if (workflowType === 'settleEpoch') return answer;
  const { epoch: _epoch, ...ofDispute } = answer;
  return ofDispute;
}

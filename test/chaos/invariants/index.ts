import type { Pool } from 'pg';
import type { CheckName, CheckOutcome } from '../../../src/audit/outcomes';
import { auditEpochs } from '../../../src/commands/audit-epochs';
import { nodeHashes } from '../../../src/hashing/node-hashes';
import { replayRuns } from '../../../src/worker/replay';
import { COURSE } from './course';
import { type Evidence, foundBy, type Invariant, type Violation } from './evidence';
import { PUBLISHED } from './published';

export type { Answer, Evidence, Violation } from './evidence';

/** All of them, by number. What each says is asked in SQL of its own; the audit, which recomputes, stands beside it. */
export const INVARIANTS: readonly Invariant[] = [...PUBLISHED, ...COURSE];

/** Which invariant a check of the audit speaks for. */
const SPEAKS_FOR: Readonly<Record<CheckName, string>> = {
  rows: 'I6',
  policy: 'I6',
  recompute: 'I13',
  second: 'I13',
  guards: 'I3',
  breakers: 'I8',
  digests: 'I6',
  chain: 'I9',
  claims: 'I14',
  ledger: 'I14',
  history: 'I10',
  replay: 'I10',
  'audit-log': 'I12',
  witness: 'I9',
};

/** What does not hold of the rows alone, each statement in SQL of its own. */
export async function violationsInRows(evidence: Evidence): Promise<readonly Violation[]> {
  const violations: Violation[] = [];
  for (const { id, says, violations: violationsIn } of INVARIANTS) {
    const found = await violationsIn(evidence);
    if (found.length > 0) violations.push({ id, says, found });
  }
  return violations;
}

/** Checks every invariant on all that is committed, and has the audit recompute it. Empty: all hold. */
export async function checkInvariants(pool: Pool, evidence: Omit<Evidence, 'rows'>): Promise<readonly Violation[]> {
  const inRows = await violationsInRows({ ...evidence, rows: pool });
  const audited = await auditAll(pool, evidence.heads);
  return INVARIANTS.flatMap(({ id, says }) => {
    const found = [...(inRows.find((one) => one.id === id)?.found ?? []), ...(audited.get(id) ?? [])];
    return found.length > 0 ? [{ id, says, found }] : [];
  });
}

/** What the audit finds wrong with every network that has published something, by the invariant that it breaks. */
async function auditAll(pool: Pool, heads: string | null): Promise<ReadonlyMap<string, readonly string[]>> {
  const tools = { hashes: await nodeHashes(), witness: heads, replay: replayRuns };
  const networks = await foundBy(
    pool,
    `select network as found from chain_entry where kind = 'revision' group by network order by network`,
  );
  const found = new Map<string, string[]>();
  for (const network of networks) {
    const outcomes = await auditEpochs({ pool }, network, { first: 0, last: 2 ** 31 - 1 }, tools);
    for (const outcome of outcomes.filter((one) => one.outcome === 'failed')) {
      const id = SPEAKS_FOR[outcome.check];
      found.set(id, [...(found.get(id) ?? []), audited(network, outcome)]);
    }
  }
  return found;
}

const audited = (network: string, { check, epoch, revision, detail }: CheckOutcome): string =>
  `${network} ${epoch === null ? '' : `${epoch}@${revision} `}audit ${check}: ${detail}`;

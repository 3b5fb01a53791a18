import { accountsOf, claimable } from '../audit/check-claims';
import { tokenAmount } from '../explain/figures';
import type { ClaimPlace, PayoutRevision, PayoutStanding } from '../explain/payout-standing';
import { explainPrice } from '../explain/price-explanation';
import { nodeHashes } from '../hashing/node-hashes';
import { balanceOf } from '../ledger/dues';
import { buildClaimsTree } from '../proofs/claims-tree';
import type { ClaimsContent } from '../proofs/contents';
import type { FullDerivation } from '../rulesets/1/records';
import { claimsEntries, publishedRevisions, type StoredEntry } from '../store/chain';
import { keptClaims } from '../store/dossiers';
import { lastPricedEpoch } from '../store/market-reports';
import { findPayout } from '../store/payout-reports';
import type { Queryable } from '../store/pool';
import { entitledUpTo, inFlightTo, paymentsToProvider, type StatementPaymentRow } from '../store/statement-rows';
import type { SettledEpoch } from './epochs';

/** Above so many payees a tree takes longer than an explanation may: the proof is then to be had by a command. */
const TREE_PAYEES = 20_000;

const LAST_EPOCH = 2_147_483_647;

/** What stands around the payout of a provider in an epoch: prices, revisions, payments, account, claim. */
export async function payoutStanding(
  db: Queryable,
  settled: SettledEpoch,
  derivation: FullDerivation,
  provider: { readonly name: string; readonly payee: string | null; readonly markets: readonly string[] },
): Promise<PayoutStanding> {
  const { network, epoch } = settled.key;
  const published = await publishedRevisions(db, network, epoch, epoch);
  const payments = await paymentsToProvider(db, network, provider.name);
  const tokens = (amount: bigint) => tokenAmount(amount, settled.policy.token.decimals);
  return {
    prices: await pricesOf(db, settled, derivation, provider.markets),
    revisions: await revisionsOf(db, network, published, provider.name, tokens),
    payments: settling(published, payments).map(({ batch, reference, payee, amount, confirmedAt, late }) => {
      return { batch, reference, payee, amount: tokens(BigInt(amount)), confirmedAt, late };
    }),
    account: await accountOf(db, network, provider.name, payments, tokens),
    claim: await claimPlace(db, settled, provider.payee, tokens),
  };
}

type Tokens = (amount: bigint) => ReturnType<typeof tokenAmount>;

async function pricesOf(
  db: Queryable,
  { key, policy }: SettledEpoch,
  derivation: FullDerivation,
  markets: readonly string[],
) {
  const prices: PayoutStanding['prices'][number][] = [];
  for (const market of markets) {
    const previous = await lastPricedEpoch(db, key.network, market, key.epoch);
    prices.push(explainPrice(policy, derivation, market, previous));
  }
  return prices;
}

async function revisionsOf(
  db: Queryable,
  network: string,
  published: readonly StoredEntry[],
  provider: string,
  tokens: Tokens,
): Promise<readonly PayoutRevision[]> {
  const revisions: PayoutRevision[] = [];
  let before: bigint | null = null;
  for (const entry of published) {
    const payout = await findPayout(db, { ...entry, network }, provider);
    const amount: bigint = BigInt(payout?.amount ?? 0);
    revisions.push({
      revision: entry.revision,
      publishedAt: entry.publishedAt,
      contentDigest: entry.contentDigest,
      head: entry.head,
      amount: tokens(amount),
      reason: payout?.reason ?? null,
      adjustment: before === null ? null : tokens(amount - before),
    });
    before = amount;
  }
  return revisions;
}

/** Payments of the first batch after each revision in which the provider was paid, each once. */
function settling(
  published: readonly StoredEntry[],
  payments: readonly StatementPaymentRow[],
): readonly StatementPaymentRow[] {
  const batches = new Set(
    published.flatMap(({ position }) => payments.find((payment) => payment.position >= position)?.batch ?? []),
  );
  return payments.filter(({ batch }) => batches.has(batch));
}

async function accountOf(
  db: Queryable,
  network: string,
  provider: string,
  payments: readonly StatementPaymentRow[],
  tokens: Tokens,
): Promise<PayoutStanding['account']> {
  const entitlement = BigInt((await entitledUpTo(db, network, provider, LAST_EPOCH, LAST_EPOCH)).upTo);
  const paid = payments.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const inFlight = BigInt(await inFlightTo(db, network, provider));
  const { due, receivable } = balanceOf({ provider, entitlement, paid, inFlight } as Parameters<typeof balanceOf>[0]);
  return {
    entitled: tokens(entitlement),
    paid: tokens(paid),
    inFlight: tokens(inFlight),
    due: tokens(due),
    receivable: tokens(receivable),
  };
}

/** The claims of the newest entries are kept; those of older ones would have to be derived from all payouts before. */
async function claimPlace(
  db: Queryable,
  { key, report }: SettledEpoch,
  payee: string | null,
  tokens: Tokens,
): Promise<ClaimPlace | null> {
  const entry =
    report.state === 'published' ? (await claimsEntries(db, key.network, key.epoch, key.epoch)).at(-1) : undefined;
  if (payee === null || entry === undefined) return null;
  const { root, payees } = JSON.parse(entry.entry) as ClaimsContent;
  const command = `settle claims proof ${payee} --epoch ${key.epoch} --network ${key.network}`;
  const kept = payees > TREE_PAYEES ? null : await keptClaims(db, key.network, entry.position);
  const elsewhere = { payee, root, payees, cumulative: null, leafIndex: null, proof: null, command };
  if (kept === null) return elsewhere;
  const { keccak256 } = await nodeHashes();
  const accounts = accountsOf(kept.map((row) => [row.payee, row.entitlement, row.cumulative] as const));
  const tree = buildClaimsTree(claimable(accounts), keccak256);
  const cumulative = tree.amount(payee);
  if (cumulative === 0n) return elsewhere;
  return {
    ...elsewhere,
    cumulative: tokens(cumulative),
    leafIndex: tree.leafIndex(payee),
    proof: tree.proof(payee),
  };
}

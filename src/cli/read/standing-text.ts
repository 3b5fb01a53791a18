import type { Colors } from 'picocolors/types';
import type { ExplainedPayout } from '../../explain/payout-standing';
import { counted } from '../figures';
import { safeText } from '../output';
import { type Fact, factLines, heading, readableTime } from './layout';

/** What became of a payout: its revisions, what was paid, the account now, and its place in the claims tree. */
export function standingText(found: ExplainedPayout, colors: Colors, width: number): string {
  const { account, token, payments } = found;
  const symbol = safeText(token.symbol);
  const settledBy = payments.map(
    ({ batch, reference, amount, confirmedAt, late }): Fact => [
      'paid',
      `${amount.tokens} ${symbol} in batch ${batch}, ${safeText(reference)}, ${readableTime(confirmedAt)}${late ? `, ${colors.yellow('confirmed late')}` : ''}`,
    ],
  );
  const owed =
    account.receivable.baseUnits === '0'
      ? `${account.due.tokens} ${symbol} due`
      : colors.red(`the provider owes ${account.receivable.tokens} ${symbol}`);
  const facts: readonly Fact[] = [
    ...revisionFacts(found, colors),
    ...(settledBy.length === 0 ? [['paid', 'not yet'] as const] : settledBy),
    [
      'account now',
      `${account.entitled.tokens} entitled − ${account.paid.tokens} paid − ${account.inFlight.tokens} in batches: ${owed}`,
    ],
    claimFact(found),
  ];
  return `${heading('What became of it', `all of it: settle statement ${found.provider}`, colors)}\n${factLines(facts, colors, width)}`;
}

function revisionFacts({ revisions, token }: ExplainedPayout, colors: Colors): readonly Fact[] {
  return revisions.map(({ revision, amount, adjustment, publishedAt }): Fact => {
    const by = adjustment === null ? '' : `, ${colors.yellow(`adjusted by ${adjustment.tokens.replace('-', '−')}`)}`;
    const words = `${amount.tokens} ${safeText(token.symbol)}${by}, published ${readableTime(publishedAt)}`;
    return [`revision ${revision}`, words];
  });
}

function claimFact({ claim, token }: ExplainedPayout): Fact {
  if (claim === null) return ['claim', 'none: nobody is named to be paid, or nothing is published'];
  const tree = `of ${counted(claim.payees, 'payee')}`;
  if (claim.cumulative === null || claim.leafIndex === null || claim.proof === null) {
    return ['claim', `in the tree ${tree}: ${claim.command}`];
  }
  return [
    'claim',
    `${claim.cumulative.tokens} ${safeText(token.symbol)} in all for ${claim.payee}: leaf ${claim.leafIndex} of the tree ${tree}, proved by ${counted(claim.proof.length, 'hash', 'hashes')}`,
  ];
}

import { amountText, NANO_DECIMALS, scaledText } from '../../numbers/amounts';
import type { Amount } from '../../numbers/units';
import { cappedOf } from './amounts';
import { LineCursor } from './line-cursor';
import type { Derivation, Payout, PayoutReason } from './records';
import { type Earned, payoutOf } from './reward';

/**
 * What providers earned, between the two passes of the reward step (spec §7), as lines: a chunk of them is some bytes
 * for each provider instead of several objects, in memory and where it is kept until the pool's share is known.
 *
 * Cells: provider, gross, reason, M4; the last is empty for whoever is not eligible. Capped follows from gross and cap.
 */
export function earnedLine({ provider, gross, reason, multiplier }: Earned): string {
  const text = multiplier === null ? '' : scaledText(multiplier, NANO_DECIMALS);
  return `${provider},${amountText(gross)},${reason},${text}\n`;
}

export interface EarnedPayout {
  readonly payout: Payout;
  /** M4 as canonical text; empty: not eligible. */
  readonly multiplier: string;
}

/**
 * Second pass over earned lines: their payouts.
 *
 * @param cappedSum G, the sum of capped over all providers of the epoch
 */
export function* payoutsOfEarned(
  lines: Uint8Array,
  derivation: Pick<Derivation, 'pool' | 'cap'>,
  cappedSum: Amount,
): Generator<EarnedPayout, void, undefined> {
  const line = new LineCursor(lines);
  while (!line.ended) {
    const provider = line.text();
    // Digits that earnedLine wrote.
    const gross = BigInt(line.text()) as Amount;
    const reason = line.knownText() as PayoutReason;
    const capped = cappedOf(gross, derivation.cap);
    yield { payout: payoutOf(derivation, { provider, reason, gross, capped }, cappedSum), multiplier: line.text() };
  }
}

import { scaledText } from '../numbers/amounts';
import { Decimal, decimalText } from '../numbers/decimal';

/** An amount in both of its units: exact, and as text in each. */
export interface TokenAmount {
  readonly baseUnits: string;
  /** The same in tokens, with every decimal that it has. */
  readonly tokens: string;
}

export function tokenAmount(baseUnits: bigint, decimals: number): TokenAmount {
  return { baseUnits: baseUnits.toString(), tokens: scaledText(baseUnits, decimals) };
}

const SHOWN_DIGITS = 6;

/** A figure inside a sentence: six significant digits, but never fewer than all digits before the point. */
export function said(x: Decimal): string {
  const digits = Math.max(SHOWN_DIGITS, x.isZero() ? 0 : x.e + 1);
  return decimalText(x.toSignificantDigits(digits));
}

/** A share inside a sentence: `12.3 %`. */
export function saidPercent(x: Decimal): string {
  return `${decimalText(x.times(100).toDecimalPlaces(1))} %`;
}

/** left / right for a sentence; null where right is 0. */
export function saidRatio(left: Decimal, right: Decimal): Decimal | null {
  return right.isZero() ? null : new Decimal(left.div(right).toSignificantDigits(12));
}

import { parseScaled } from '../numbers/amounts';
import { NumberTextError } from '../numbers/decimal';
import type { TokenAmount } from './figures';

/** One step of a calculation that a reader can repeat, and whether it holds. */
export type Step = readonly [name: string, holds: () => boolean];

/** The first step that does not hold; null: all do. A figure that is none is as wrong as a wrong one. */
export function firstThatFails(steps: readonly Step[]): string | null {
  return steps.find(([, holds]) => !isTrue(holds))?.[0] ?? null;
}

function isTrue(holds: () => boolean): boolean {
  try {
    return holds();
  } catch (error) {
    if (error instanceof NumberTextError || error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Base units. */
export const unitsOf = (amount: TokenAmount): bigint => BigInt(amount.baseUnits);

/** Whether the two texts of each amount are of the same amount. */
export const bothTextsAgree = (amounts: readonly TokenAmount[], decimals: number): boolean =>
  amounts.every((amount) => parseScaled(amount.tokens, decimals) === unitsOf(amount));

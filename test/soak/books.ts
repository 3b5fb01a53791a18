import { type BatchPlan, balanceOf } from '../../src/ledger/dues';
import type { Amount } from '../../src/numbers/units';
import type { TestDatabase } from '../harness/databases';
import { entitledByAdjustments, ledgerFaults, standings, totals } from '../ledger/paying';

/** Lines of a batch as the soak's own books have them. */
interface OpenLine {
  readonly provider: string;
  rest: bigint;
}

/** What the soak believes of a network's money, kept apart from the system: paid, and on its way. */
export class Books {
  private readonly paid = new Map<string, bigint>();
  private readonly lines = new Map<number, OpenLine[]>();

  opened(batch: number, lines: BatchPlan['lines']): void {
    this.lines.set(
      batch,
      lines.map(({ provider, amount }) => ({ provider, rest: amount })),
    );
  }

  rejected(batch: number): void {
    this.lines.delete(batch);
  }

  confirmed(batch: number, provider: string, amount: bigint): void {
    this.lineOf(batch, provider).rest -= amount;
    this.paid.set(provider, (this.paid.get(provider) ?? 0n) + amount);
  }

  /** Of a line that was given up: nothing of it is on its way, and the money left. */
  confirmedLate(provider: string, amount: bigint): void {
    this.paid.set(provider, (this.paid.get(provider) ?? 0n) + amount);
  }

  failed(batch: number, provider: string): void {
    this.lineOf(batch, provider).rest = 0n;
  }

  private lineOf(batch: number, provider: string): OpenLine {
    const line = this.lines.get(batch)?.find((one) => one.provider === provider);
    if (line === undefined) throw new Error(`batch ${batch} has no line of ${provider} in the books`);
    return line;
  }

  /**
   * Compares every balance with the published amounts and adjustments less payments, in every digit, and all accounts
   * with zero. Returns how many balances were compared.
   */
  async compare(database: TestDatabase, network: string): Promise<number> {
    const entitled = await entitledByAdjustments(database, network);
    const found = await standings(database.viewer, network);
    const providers = new Set([...entitled.keys(), ...this.paid.keys(), ...Object.keys(found)]);
    for (const provider of providers) {
      const expected = this.standingOf(provider, entitled.get(provider) ?? 0n);
      const actual = found[provider] ?? { entitlement: 0n, paid: 0n, inFlight: 0n, due: 0n, receivable: 0n };
      for (const key of ['entitlement', 'paid', 'inFlight', 'due', 'receivable'] as const) {
        requireEqual(`${network} ${provider} ${key}`, actual[key], expected[key]);
      }
    }
    const accounts = await totals(database.viewer, network);
    requireEqual(`${network} all accounts`, sumOf(Object.values(accounts)), 0n);
    const paid = sumOf(this.paid.values());
    requireEqual(`${network} account paid`, accounts.paid ?? 0n, paid);
    requireEqual(`${network} account providers`, accounts.providers ?? 0n, sumOf(entitled.values()) - paid);
    const faults = await ledgerFaults(database.viewer, network);
    if (faults.length > 0)
      throw new Error(`${network}: ${faults.map((one) => `${one.name}: ${one.detail}`).join('; ')}`);
    return providers.size;
  }

  private standingOf(provider: string, entitlement: bigint) {
    const inFlight = sumOf(
      [...this.lines.values()].flat().flatMap((line) => (line.provider === provider ? [line.rest] : [])),
    );
    const paid = this.paid.get(provider) ?? 0n;
    const account = { entitlement: entitlement as Amount, paid: paid as Amount, inFlight: inFlight as Amount };
    return { ...account, ...balanceOf({ ...account, provider }) };
  }
}

const sumOf = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, amount) => sum + amount, 0n);

function requireEqual(what: string, actual: bigint, expected: bigint): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, and should be ${expected}`);
}

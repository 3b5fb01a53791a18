import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'csv-parse/sync';
import { confirmPayments } from '../commands/confirm-payments';
import type { OverpayingLine } from '../commands/payments';
import { IDENTIFIER_PATTERN } from '../numbers/patterns';
import type { Confirmation } from '../store/payments';
import { UsageError } from './errors';
import type { Io } from './io';
import { withDatabase } from './open';

export interface ConfirmOptions {
  readonly network: string;
  readonly late?: boolean;
  readonly reason?: string;
  readonly requestId?: string;
}

/** Books a file of confirmations. */
export async function confirm(io: Io, batch: number, file: string, options: ConfirmOptions): Promise<void> {
  const { network, late = false, reason = null, requestId = null } = options;
  if (late !== (reason !== null)) throw new UsageError('--late and --reason are given together, or neither');
  const confirmations = readConfirmations(await readFile(file, 'utf8'), basename(file));
  await withDatabase(io, async (session) => {
    const report = { network, batch, confirmations, lateReason: reason, requestId };
    const { overpaying, ...booked } = await confirmPayments(session, report);
    io.account({
      value: late ? { batch, ...booked, overpaying } : { batch, ...booked },
      human: () =>
        `Booked ${booked.booked} ${late ? 'late ' : ''}confirmations (${booked.amount} base units); ${booked.repeated} were booked before.`,
    });
    sayOverpaying(io, overpaying);
  });
}

/** Lines by which somebody would be paid more than is due, and what to do before the wallet does. */
export function sayOverpaying(io: Io, lines: readonly OverpayingLine[]): void {
  for (const { batch, provider, open, approved, owed } of lines) {
    const command = approved ? `settle payment fail ${batch} ${provider}` : `settle payment reject ${batch}`;
    io.say(
      `Warning: batch ${batch} would pay ${provider} more than is due: ${open} base units are still to be paid, and with all that is open ${provider} would owe ${owed}. Unless the wallet has sent it: ${command} --reason TEXT`,
    );
  }
}

/** Confirmations of a wallet. @throws UsageError with file and line */
function readConfirmations(text: string, file: string): readonly Confirmation[] {
  const rows = parse(text, { columns: false, skip_empty_lines: true, info: true }) as unknown as {
    readonly record: readonly string[];
    readonly info: { readonly lines: number };
  }[];
  if (rows[0]?.record.join(',') !== 'provider,reference,amount') {
    throw new UsageError(`${file}:1: the header is not provider,reference,amount`);
  }
  return rows.slice(1).map(({ record, info }) => {
    const [provider = '', reference = '', amount = ''] = record;
    const wrong = (what: string) => new UsageError(`${file}:${info.lines}: ${what}`);
    if (!IDENTIFIER_PATTERN.test(provider)) throw wrong('the provider is not an identifier');
    if (!IDENTIFIER_PATTERN.test(reference)) throw wrong('the reference is not 1 to 128 of A-Z a-z 0-9 . _ : -');
    if (!/^[1-9][0-9]{0,77}$/.test(amount)) throw wrong('the amount is not a whole number of base units above 0');
    return { provider, reference, amount };
  });
}

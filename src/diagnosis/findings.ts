/** What an examination found, and what to do about it. `warn`: it works, but somebody should know. */
export interface Finding {
  readonly check: string;
  readonly outcome: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** null where nothing is to be done. */
  readonly todo: string | null;
}

export const ok = (check: string, found: string): Finding => ({ check, outcome: 'ok', found, todo: null });
export const warn = (check: string, found: string, todo: string): Finding => ({ check, outcome: 'warn', found, todo });
export const fail = (check: string, found: string, todo: string): Finding => ({ check, outcome: 'fail', found, todo });

/** Runs one check; an error that it does not expect is a finding, too. */
export async function examined(check: string, todo: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    return fail(check, firstLine(error), todo);
  }
}

/** The first line of an error's words; errors of gRPC and pg keep their reason in the cause, or in a code. */
export function firstLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const words = error.message.split('\n', 1)[0]?.trim() ?? '';
  if (words !== '') return words;
  return error.cause instanceof Error ? firstLine(error.cause) : String(code ?? error.name);
}

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBundle } from '../../src/inputs/bundle';
import { type InputRow, readTable } from '../../src/inputs/read-table';
import { BundleError } from '../../src/inputs/refusals';
import type { InputTableName } from '../../src/inputs/tables';

/** Headers as spec §3 writes them, not as the code under test does. */
export const HEADERS: Readonly<Record<InputTableName, string>> = {
  providers: 'provider,joined_epoch,status,payee',
  capacity: 'epoch,provider,market,offered,served',
  performance: 'epoch,provider,uptime,response_ms,error_rate,rating',
  demand: 'epoch,market,requested',
  quotes: 'epoch,market,source,usd_per_unit',
  token: 'epoch,source,observed_at,price_usd,volume_usd',
  macro: 'epoch,index',
};

const folders: string[] = [];

/** A new folder, removed by `removeFolders`. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'settle-inputs-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** A bundle of seven files with their headers alone, but for the given ones; `null` leaves a file out. */
export function bundleFolder(files: Readonly<Record<string, string | Buffer | null>> = {}): string {
  const folder = newFolder();
  mkdirSync(folder, { recursive: true });
  for (const [table, header] of Object.entries(HEADERS)) {
    if (!Object.hasOwn(files, `${table}.csv`)) writeFileSync(join(folder, `${table}.csv`), `${header}\n`);
  }
  for (const [name, content] of Object.entries(files)) if (content !== null) writeFileSync(join(folder, name), content);
  return folder;
}

/** All rows of a table whose file is the given text or bytes. */
export async function rowsOf(table: InputTableName, content: string | Buffer): Promise<InputRow[]> {
  return readAll(bundleFolder({ [`${table}.csv`]: content }), table);
}

export async function readAll(folder: string, table: InputTableName): Promise<InputRow[]> {
  const rows: InputRow[] = [];
  for await (const batch of readTable(await openBundle(folder), table)) rows.push(...batch);
  return rows;
}

/** The error that a promise must end in. */
export async function bundleErrorOf(promise: Promise<unknown>): Promise<BundleError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof BundleError) return error;
    throw error;
  }
  throw new Error('the bundle was accepted');
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { settleBundle } from '../../src/audit/second/settle';
import { exportEpochs } from '../../src/commands/export-epochs';
import { type EpochRange } from '../../src/commands/run-epochs';
import { type GeneratedBundle } from '../generate/bundle';
import type { TestContext } from '../harness/networks';
import { loadHashes } from '../second/hashes';

/** The three CSV texts of an export (spec §11). */
export interface ExportTexts {
  readonly prices: string;
  readonly payouts: string;
  readonly epochs: string;
}

/** The first and last epoch that a bundle's tables name. */
export function spanOf(bundle: GeneratedBundle): EpochRange {
  const tables = ['capacity', 'performance', 'demand', 'quotes', 'token', 'macro'] as const;
  const epochs = tables.flatMap((table) =>
    bundle.files[table]
      .split(/\r?\n/)
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => Number.parseInt(line.replace(/^"/, ''), 10)),
  );
  return { first: Math.min(...epochs), last: Math.max(...epochs) };
}

/** What the second implementation, which shares no code with the first, makes of a bundle. */
export async function settledBySecond(bundle: GeneratedBundle, network: string): Promise<ExportTexts> {
  const hashes = await loadHashes();
  return settleBundle({ files: bundle.files, policy: parse(bundle.policyYaml), network }, hashes);
}

/** What the system publishes of a network. */
export async function exported(context: TestContext, network: string): Promise<ExportTexts> {
  const folder = await mkdtemp(join(tmpdir(), 'settle-test-export-'));
  try {
    await exportEpochs(context, network, null, folder, { format: 'csv', force: false });
    const text = (name: string) => readFile(join(folder, `${name}.csv`), 'utf8');
    return { prices: await text('prices'), payouts: await text('payouts'), epochs: await text('epochs') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The first line where two texts differ, cell by cell; null: they are the same, byte for byte. */
export function firstDifference(name: string, ours: string, theirs: string): string | null {
  if (ours === theirs) return null;
  const [a, b] = [ours.split('\n'), theirs.split('\n')];
  const line = a.findIndex((text, index) => text !== b[index]);
  const at = line < 0 ? a.length : line;
  const columns = a[0]!.split(',');
  const cells = columns.flatMap((column, index) => {
    const [own, other] = [a[at]?.split(',')[index], b[at]?.split(',')[index]];
    return own === other ? [] : [`${column}: ${own} here, ${other} by the second implementation`];
  });
  return `${name}.csv:${at + 1} (${(a[at] ?? b[at])?.split(',').slice(0, 2).join(',')}): ${cells.join('; ')}`;
}

/** Every file's first difference. */
export function differences(ours: ExportTexts, theirs: ExportTexts): readonly string[] {
  return (['epochs', 'prices', 'payouts'] as const).flatMap(
    (name) => firstDifference(name, ours[name], theirs[name]) ?? [],
  );
}

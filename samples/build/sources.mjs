/** The public data set: every file that is read is first compared with its SHA256SUMS. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/** Opens the folder of public data. Throws, with the path, for a file that is missing, unlisted or altered. */
export function openSources(folder) {
  const sumsPath = join(folder, 'SHA256SUMS');
  if (!existsSync(sumsPath)) {
    throw new Error(`no public data at ${folder}: pass the folder that holds SHA256SUMS as the first argument`);
  }
  const digests = readDigests(readFileSync(sumsPath, 'utf8'));
  const read = new Set();

  function text(path) {
    const bytes = readFileSync(join(folder, path));
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (digests.get(path) !== digest) {
      throw new Error(`${path}: SHA-256 ${digest} is not the one in SHA256SUMS (${digests.get(path) ?? 'none'})`);
    }
    read.add(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  }

  return {
    text,
    csv: (path) => parse(text(path), { columns: true, skip_empty_lines: true }),
    json: (path) => JSON.parse(text(path)),
    list: (path) => readdirSync(join(folder, path)).sort(),
    filesRead: () => [...read].sort(),
  };
}

function readDigests(sums) {
  const lines = sums.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(66).replace(/^\.\//, ''), line.slice(0, 64)]));
}

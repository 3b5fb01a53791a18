import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { externalTemporal } from '../../src/stack/external';
import { type FindTemporalOptions, findTemporal } from '../../src/stack/find-temporal';
import { prepareHome } from '../../src/stack/home';
import { cachedExecutable } from '../../src/stack/temporal-fetch';
import { testFolder } from './processes-of-test';

const root = testFolder();
afterAll(() => rmSync(root, { recursive: true }));

/** A program that says it is Temporal of this version. */
function temporalAt(path: string, version: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "temporal version ${version} (Server 1.32.0, UI 2.54.1)"\n`);
  chmodSync(path, 0o755);
  return path;
}

let count = 0;
async function searchIn(env: NodeJS.ProcessEnv): Promise<FindTemporalOptions & { lines: string[] }> {
  const paths = await prepareHome(join(root, `home ${++count}`));
  const lines: string[] = [];
  // Nothing answers at this address, so that no test ever fetches anything.
  const offline = { HTTPS_PROXY: 'http://127.0.0.1:1', HOME: join(root, `user ${count}`), PATH: '' };
  return { env: { ...offline, ...env }, paths, lines, log: (line) => lines.push(line), progress: () => undefined };
}

const onPath = temporalAt(join(root, 'bin', 'temporal'), '1.8.0');
const old = temporalAt(join(root, 'old bin', 'temporal'), '1.1.0');
const cache = join(root, 'cache');
const cached = temporalAt(cachedExecutable(cache), '1.9.1');

test('the executable named by TEMPORAL_CLI_PATH comes before all others', async () => {
  const named = temporalAt(join(root, 'mine', 'my temporal'), '1.7.2');
  const options = await searchIn({ TEMPORAL_CLI_PATH: named, PATH: dirname(onPath), SETTLE_CACHE: cache });
  expect(await findTemporal(options)).toEqual({
    path: named,
    release: '1.7.2',
    how: `${named}, named by TEMPORAL_CLI_PATH`,
  });
});

test('a wrong TEMPORAL_CLI_PATH is refused, not passed over', async () => {
  const options = await searchIn({ TEMPORAL_CLI_PATH: join(root, 'nowhere'), PATH: dirname(onPath) });
  await expect(findTemporal(options)).rejects.toMatchObject({ code: 'TemporalNotFound', where: join(root, 'nowhere') });
});

test('the one on PATH comes before the cache', async () => {
  const options = await searchIn({ PATH: dirname(onPath), SETTLE_CACHE: cache });
  expect(await findTemporal(options)).toMatchObject({ path: onPath, release: '1.8.0' });
});

test('one on PATH that is too old is passed over, and the log says why', async () => {
  const options = await searchIn({ PATH: dirname(old), SETTLE_CACHE: cache });
  expect(await findTemporal(options)).toMatchObject({ path: cached, release: '1.9.1' });
  expect(options.lines.join()).toContain('is version 1.1.0, and 1.4.0 is the oldest that works');
});

test('without any the error names every place and its reason', async () => {
  const refusal = await findTemporal(await searchIn({})).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'TemporalNotFound' });
  const { message } = refusal as Error;
  for (const place of ['temporal on PATH: not there', 'the cache', 'the official download: ', 'there is no pip']) {
    expect(message).toContain(place);
  }
});

test('a service named by the environment is used as Temporal’s own variables say', async () => {
  const env = { TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'payouts', HOME: root };
  expect(await externalTemporal(env)).toMatchObject({
    address: 'temporal.example:7233',
    namespace: 'payouts',
    how: 'yours, named by TEMPORAL_ADDRESS',
  });
  expect(await externalTemporal({ HOME: root, TEMPORAL_NAMESPACE: 'payouts' })).toBeNull();
});

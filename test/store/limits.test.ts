import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf } from '../../src/cli/errors';
import { createNetwork, readPolicyFile } from '../../src/commands/create-network';
import { importBundle } from '../../src/commands/import-bundle';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn } from '../harness/in-process';
import { type BundleTexts, bundleTexts, makeNetworkOf, networkName, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { allRows } from '../harness/rows';
import { count } from '../harness/worlds';

/** docs/performance.md, Limits: what is within them is taken, and the next figure refused by name. */

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });

const refusalOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('it was not refused'),
    (error: Error) => error,
  );

/** A refusal is a row of the audit log, and nothing else. */
const kept = async () => (await allRows(database)).filter((line) => !line.startsWith('audit_log('));

describe('a policy', () => {
  const withPolicy = <T>(markets: number, window: number, work: (policyFile: string) => Promise<T>) => {
    const { market, history, ...rest } = policyDocument();
    const names = Array.from({ length: markets }, (_, index) => `market.${index}`);
    const document = {
      ...rest,
      history: { ...history, window: String(window) },
      market: Object.fromEntries(names.map((name) => [name, market.gpu])),
    };
    return withBundleFolder({}, (folder) => {
      const policyFile = join(folder, 'policy.yaml');
      writeFileSync(policyFile, JSON.stringify(document));
      return work(policyFile);
    });
  };

  test.each([
    ['1,000 markets', 1_000, 400],
    ['400,000 rows of history', 4, 100_000],
  ])('has room for %s', async (_what, markets, window) => {
    const { policy } = await withPolicy(markets, window, readPolicyFile);
    expect(policy.markets.size).toBe(markets);
  });

  test.each([
    ['1,001 markets', 1_001, 4, /policy\.yaml has 1001 markets, and an epoch's history has room for 1000: split/],
    ['one epoch more to look back on', 4, 100_001, /give history\.window at most 100000/],
  ])('with %s is refused, and makes no network', async (_what, markets, window, reason) => {
    const before = await kept();
    const error = await refusalOf(
      withPolicy(markets, window, (policyFile) => {
        const wanted = { network: networkName(), policyFile, firstEpoch: 0, lastEpoch: null, holds: 'wait' } as const;
        return createNetwork(operator(), wanted);
      }),
    );
    expect(error.name).toBe('PolicyTooLarge');
    expect(failureOf(error)).toEqual({ exit: 1, message: expect.stringMatching(reason), defect: false });
    expect(await kept()).toEqual(before);
  });
});

describe('a bundle', () => {
  const demandOf = (...epochs: readonly number[]) => ({
    ...bundleTexts({ epochs: 0, providers: 0 }),
    demand: `epoch,market,requested\n${epochs.map((epoch) => `${epoch},gpu,1\n`).join('')}`,
  });

  const load = (network: string, epochs: readonly number[], more: Partial<BundleTexts> = {}) =>
    withBundleFolder({ ...demandOf(...epochs), ...more }, (folder) => {
      const policyFile = join(folder, 'policy.yaml');
      writeFileSync(policyFile, JSON.stringify(policyDocument()));
      return readPolicyFile(policyFile).then((policy) =>
        importBundle(operator(), folder, {
          network,
          dryRun: false,
          outsideCalendar: 'refuse',
          create: { policy, epochs: null, holds: 'wait' },
        }),
      );
    });

  test('has room for 100,000 epochs', async () => {
    const report = await load(networkName(), [99_999, 0]);
    expect(report).toMatchObject({ network: 'created', firstEpoch: 0, lastEpoch: 99_999 });
  });

  test.each([
    ['the last of them comes first', [100_000, 0]],
    ['the last of them comes last', [0, 100_000]],
    ['an epoch is mistyped', [0, 1, 2, 2_147_483_647]],
  ])('of more is refused where %s, and makes no network', async (_where, epochs) => {
    const network = networkName();
    const error = await refusalOf(load(network, epochs));
    expect(error.name).toBe('BundleTooLarge');
    expect(failureOf(error)).toEqual({
      exit: 1,
      message: expect.stringMatching(
        /of the epochs 0 to \d+, and a bundle has room for 100000: .* or split the bundle/,
      ),
      defect: false,
    });
    expect(await count(database, 'network', network)).toBe(0);
    expect(await count(database, 'demand', network)).toBe(0);
  });

  test('of more is refused on the way over staging tables too', async () => {
    const { providers, capacity } = bundleTexts({ epochs: 1, providers: 1 });
    // A row that is there again is for staging, before the later epoch has been met.
    const error = await refusalOf(
      load(networkName(), [0, 100_000], { providers, capacity: `${capacity}0,p0,gpu,10,4\n` }),
    );
    expect(error.name).toBe('BundleTooLarge');
  });
});

describe('an epoch', () => {
  const seal = async (providers: number) => {
    const texts = bundleTexts({ epochs: 1, providers });
    const rows = Array.from({ length: providers }, (_, index) => `0,p${index},gpu,1,1\n`);
    const bundle = { ...texts, capacity: `epoch,provider,market,offered,served\n${rows.join('')}` };
    const calendar = { first: 0, last: 0, holds: 'wait' } as const;
    const network = await makeNetworkOf(operator(), bundle, JSON.stringify(policyDocument()), calendar);
    const activities = await activitiesOn(database.worker, { chunkProviders: 1 });
    return { network, sealed: activities.seal({ network, epoch: 0 }) };
  };

  // The last figure that is allowed is left out: a thousand chunks take as long again.
  test('of more than 1,000 chunks is refused and stays open', async () => {
    const { network, sealed } = await seal(1_001);
    const error = await refusalOf(sealed);
    expect(error).toMatchObject({ type: 'EpochTooLarge', nonRetryable: true });
    expect(error.message).toMatch(/has 1001 providers with capacity or more: one run settles 1000 chunks/);
    expect(await count(database, 'snapshot', network)).toBe(0);
    expect(await count(database, 'epoch_failure', network)).toBe(0);
  });
});

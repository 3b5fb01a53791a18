import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestText, readManifest } from '../../src/archives/manifest';
import { archiveEpochs, archivePlan, wholeRanges } from '../../src/commands/archive-epochs';
import { importBundle } from '../../src/commands/import-bundle';
import { opened, rows } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { withBundleFolder } from '../harness/networks';
import { archived, FIRST, networkAcross, settleEpochs, withFolder } from './archived-networks';

// What keeps a range of epochs in the database, each by its name and with what to do.
let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });
const plan = () => archivePlan(operator(), { first: 0, last: 255 });
const write = (out: string, detach: boolean) =>
  archiveEpochs(operator(), { range: { first: 0, last: 255 }, out, reason: 'a test', detach, requestId: null });

test('ranges are whole, or the whole one is named', () => {
  expect(wholeRanges({ first: 256, last: 767 })).toEqual([256, 512]);
  expect(() => wholeRanges({ first: 10, last: 300 })).toThrow('settle archive 0..511');
});

test('an epoch that is not closed yet, of any network', async () => {
  const network = await networkAcross(database);
  await settleEpochs(database, network, FIRST, FIRST);
  expect(await plan()).toMatchObject([{ state: 'here', obstacles: [{ network, epoch: 255, obstacle: 'open' }] }]);
  await withFolder(async (out) => {
    await expect(write(out, true)).rejects.toMatchObject({
      id: 'ArchiveRefused',
      message: expect.stringMatching(/epoch 255 of .* is not closed yet\n.*\n.*settle epoch run/),
    });
    await settleEpochs(database, network, FIRST + 1, FIRST + 1);
    const behind = await networkAcross(database);
    await expect(write(out, true)).rejects.toMatchObject({ message: expect.stringContaining(behind) });
    expect(await readdir(out)).toEqual([]);
  });
});

test('an open dispute', async () => {
  const network = await networkAcross(database);
  await settleEpochs(database, network, FIRST, FIRST + 2);
  await opened(database, network, FIRST, rows('capacity', `${FIRST},p0,gpu,10,9`));
  expect((await plan())[0]!.obstacles).toEqual([{ network, epoch: FIRST, obstacle: 'disputed' }]);
});

test('rows that are not those which were published are not archived: they are evidence', async () => {
  const network = await networkAcross(database);
  await settleEpochs(database, network, FIRST, FIRST + 2);
  await database.tamper('update settle.capacity set served = served - 1 where epoch = $1 and provider = $2', [
    FIRST,
    'p1',
  ]);
  await withFolder(async (out) => {
    await expect(write(out, true)).rejects.toMatchObject({
      id: 'TamperedRows',
      message: expect.stringContaining(`capacity rows of epoch ${FIRST} of network ${network}`),
    });
  });
  expect((await plan())[0]!.state).toBe('here');
});

describe('the database, whatever the program says', () => {
  const detach = (manifest: string, pool = database.operator) =>
    pool.query('select settle.archive_partition(0, $1, $2, $3, $4, $5)', [manifest, '/x', 'olivia', 'a test', 'r']);

  test('drops nothing that the manifest does not have to the last row', async () => {
    const network = await networkAcross(database);
    await settleEpochs(database, network, FIRST, FIRST + 2);
    await withFolder(async (out) => {
      const [report] = await write(out, false);
      expect(report!.state).toBe('written');
      const { manifest, text } = await readManifest(report!.folder!);
      const [one, ...others] = manifest.epochs;
      const forged = { ...manifest, epochs: [{ ...one!, digest: 'ab'.repeat(32) }, ...others] };
      await expect(detach(manifestText(forged))).rejects.toThrow('does not have the capacity rows of epoch 254');
      await expect(detach(manifestText({ ...manifest, epochs: others }))).rejects.toThrow(
        'the capacity rows of epoch 254',
      );
      await expect(detach(text, database.viewer)).rejects.toMatchObject({ code: '42501' });
      await expect(detach(text, database.worker)).rejects.toMatchObject({ code: '42501' });
      await detach(text);
    });
    expect((await plan())[0]!.state).toBe('archived');
  });

  test('drops nothing of an epoch that is open or disputed', async () => {
    const network = await networkAcross(database);
    await settleEpochs(database, network, FIRST, FIRST + 2);
    await withFolder(async (out) => {
      const [report] = await write(out, false);
      const { text } = await readManifest(report!.folder!);
      await opened(database, network, FIRST, rows('capacity', `${FIRST},p0,gpu,10,9`));
      await expect(detach(text)).rejects.toThrow(`epoch ${FIRST} of network ${network} is disputed`);
    });
  });

  test('an operator cannot shadow the payouts that entitlements are folded from', async () => {
    const network = await networkAcross(database);
    await settleEpochs(database, network, FIRST, FIRST);
    const folded = async () =>
      (await database.viewer.query('select provider, entitlement::text from entitlement_fold order by 1')).rows;
    const client = await database.operator.connect();
    await client.query('create temporary table payout as select * from settle.payout');
    await client.query('update payout set amount = amount + 1');
    await client.query('select settle.fold_entitlements($1)', [network]);
    client.release(true);
    const published = await database.viewer.query(
      'select provider, amount::text as entitlement from payout where network = $1 order by 1',
      [network],
    );
    expect(await folded()).toEqual(published.rows);
  });
});

describe('of archived epochs', () => {
  let network: string;
  const around = (work: (out: string) => Promise<void>) =>
    withFolder(async (out) => {
      network = await networkAcross(database);
      await settleEpochs(database, network, FIRST, FIRST + 2);
      await archived(database, out);
      await work(out);
    });

  test('a dispute, a bundle of inputs and a computation are refused, and it is said what to bring', () =>
    around(async (out) => {
      const { hash } = await readManifest(join(out, 'epochs-0-255'));
      await expect(opened(database, network, FIRST, rows('capacity', `${FIRST},p0,gpu,10,9`))).rejects.toMatchObject({
        id: 'EpochArchived',
        message: expect.stringContaining(hash),
      });
      const late = { capacity: `epoch,provider,market,offered,served\n${FIRST},p0,gpu,10,4\n` };
      const empty = {
        providers: 'provider,joined_epoch,status,payee\n',
        performance: 'epoch,provider,uptime,response_ms,error_rate,rating\n',
        demand: 'epoch,market,requested\n',
        quotes: 'epoch,market,source,usd_per_unit\n',
        token: 'epoch,source,observed_at,price_usd,volume_usd\n',
        macro: 'epoch,index\n',
      };
      await withBundleFolder({ ...empty, ...late }, async (folder) => {
        const load = importBundle(operator(), folder, { network, dryRun: false, outsideCalendar: 'refuse' });
        await expect(load).rejects.toMatchObject({ code: 'ST001' });
      });
      await expect(
        database.worker.query(
          `insert into computation select network, epoch, revision, 9, ruleset, policy_hash, snapshot_digest, history_digest,
             history, previous_epoch, derivation, workflow_id, run_id from computation where epoch = $1`,
          [FIRST],
        ),
      ).rejects.toMatchObject({ code: 'ST001' });
    }));

  test('archiving again does nothing', () =>
    around(async (out) => {
      expect(await write(out, true)).toMatchObject([{ state: 'archived', folder: join(out, 'epochs-0-255') }]);
    }));
});

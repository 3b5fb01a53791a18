import { importBundle } from '../../src/commands/import-bundle';
import { lockInputs } from '../../src/store/networks';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleEpochInProcess } from '../harness/in-process';
import { type BundleTexts, bundleTexts, makeNetwork, makeNetworkOf, withBundleFolder } from '../harness/networks';
import { policyDocument } from '../harness/policy';
import { allRows } from '../harness/rows';
import { count } from '../harness/worlds';

let database: TestDatabase;
beforeEach(async () => {
  database = await freshDatabase();
});
afterEach(() => database.close());

const operator = () => ({ pool: database.operator, actor: 'olivia' });
const EMPTY = bundleTexts({ epochs: 0, providers: 0 });

interface LoadKnobs {
  readonly dryRun?: boolean;
  readonly outsideCalendar?: 'refuse' | 'skip';
}

const load = (network: string, texts: Partial<BundleTexts>, knobs: LoadKnobs = {}) =>
  withBundleFolder({ ...EMPTY, ...texts }, (folder) =>
    importBundle(operator(), folder, { network, dryRun: false, outsideCalendar: 'refuse', ...knobs }),
  );

/** A network without a row of input. */
const emptyNetwork = () =>
  makeNetworkOf(operator(), EMPTY, JSON.stringify(policyDocument()), { first: 0, last: 9, holds: 'wait' });

const rowsOf = async (kept: (line: string) => boolean) => (await allRows(database)).filter(kept);
/** A refusal is a row of the audit log, and nothing else. */
const isKept = (line: string) => !line.startsWith('audit_log(');
const isInput = (line: string) => !/^(audit_log|load|request)\(/.test(line);

test('the same bundle again changes no row of input: all of it is counted as repeated', async () => {
  const network = await makeNetwork(operator());
  const before = await rowsOf(isInput);
  const { counts } = await load(network, bundleTexts());
  expect(counts).toMatchObject({
    providers: { read: 3, added: 0, repeated: 3 },
    capacity: { read: 18, added: 0, repeated: 18, late: 0, outside: 0 },
    quotes: { read: 9, added: 0, repeated: 9 },
    macro: { read: 3, added: 0, repeated: 3 },
  });
  expect(await rowsOf(isInput)).toEqual(before);
});

test('a dry run reports what it would do and leaves nothing', async () => {
  const network = await emptyNetwork();
  const before = await allRows(database);
  const report = await load(network, bundleTexts(), { dryRun: true });
  expect(report).toMatchObject({ dryRun: true, firstEpoch: 0, lastEpoch: 2, counts: { capacity: { added: 18 } } });
  expect(await allRows(database)).toEqual(before);
});

/** Adds lines to a table's text. The first of them has the line number after what is there. */
function withLines(texts: BundleTexts, table: keyof BundleTexts, ...lines: readonly string[]): [BundleTexts, number] {
  const at = texts[table].split('\n').length;
  return [{ ...texts, [table]: `${texts[table]}${lines.map((line) => `${line}\n`).join('')}` }, at];
}

describe('a bundle with a bad row is refused whole, with file and line', () => {
  const hidden = 'a name with a TAB\tin it';
  const cases: readonly (readonly [string, keyof BundleTexts, string, RegExp])[] = [
    ['F30: NaN', 'capacity', '2,p0,late,NaN,1', /offered/],
    ['F30: Infinity', 'capacity', '2,p0,late,Infinity,1', /offered/],
    ['F30: null', 'capacity', '2,p0,late,null,1', /offered/],
    ['F30: an empty cell where a number has to be', 'capacity', '2,p0,late,,1', /offered/],
    ['F30: an exponent', 'capacity', '2,p0,late,1e999,1', /offered/],
    ['F30: words', 'demand', '2,late,many', /requested/],
    ['F30: negative usage', 'capacity', '2,p0,late,1,-1', /served/],
    ['F30: utilisation 1.7', 'performance', '2,p0,1.7,1,0,4', /uptime/],
    ['F30: more served than offered', 'capacity', '2,p0,late,1,1.7', /served/],
    ['F31: more than a number can be', 'capacity', `2,p0,late,1${'0'.repeat(400)},1`, /offered/],
    ['F32: too many decimals', 'capacity', '2,p0,late,1.1234567,1', /offered/],
    ['F32: too many decimals of a price', 'quotes', '2,gpu,a,0.1234567890123', /usd_per_unit/],
    ['F33: a price of zero', 'token', '2,z,2020-05-01T02:59:00Z,0,1', /price_usd/],
    ['F35: é in one form', 'capacity', '2,caf\u00e9,gpu,1,1', /provider/],
    ['F35: é in the other', 'capacity', '2,cafe\u0301,gpu,1,1', /provider/],
    ['F35: a name that reads backwards', 'capacity', '2,\u202eevil,gpu,1,1', /provider/],
    ['F36: a TAB in a name', 'capacity', `2,"${hidden}",gpu,1,1`, /provider/],
    ['F36: the end of COPY data as a name', 'capacity', '2,\\.,gpu,1,1', /provider/],
    ['a market that the policy does not know', 'demand', '2,moon,1', /market moon is not in the policy/],
    ['a provider without a registry row', 'capacity', '2,stranger,gpu,1,1', /stranger is not in the registry/],
    ['performance of a provider without one', 'performance', '2,stranger,1,1,0,4', /stranger is not in the registry/],
    ['an epoch outside the calendar', 'demand', '99,gpu,1', /epoch 99 is outside the calendar/],
    ['a date that never was', 'token', '2,z,2020-02-30T00:00:00Z,1,1', /observed_at/],
    ['the zero address', 'providers', `new,0,active,0x${'0'.repeat(40)}`, /payee/],
    ['a status of our own making', 'providers', 'new,0,resting,', /status/],
  ];

  test.each(cases)('%s', async (_name, table, line, reason) => {
    const network = await emptyNetwork();
    const before = await rowsOf(isKept);
    // A known market, so that the cell under test is the one thing that is wrong.
    const [texts, at] = withLines(
      bundleTexts(),
      table,
      line.replace(',late,', ',disk,').replace('2,p0,disk', '3,p0,disk'),
    );
    const refused: Error = await load(network, texts).then(
      () => new Error('it was loaded'),
      (error: Error) => error,
    );
    expect(refused.message).toMatch(new RegExp(`${table}\\.csv:${at}: `));
    expect(refused.message).toMatch(reason);
    expect(await rowsOf(isKept)).toEqual(before);
  });

  test('a line break in a quoted name does not make a second row', async () => {
    const network = await emptyNetwork();
    const before = await rowsOf(isKept);
    const [texts, at] = withLines(bundleTexts(), 'capacity', '3,"p0\n3,victim",gpu,7,7');
    await expect(load(network, texts)).rejects.toThrow(`capacity.csv:${at}`);
    expect(await rowsOf(isKept)).toEqual(before);
  });

  test('bytes that are no text, and a NUL, are refused', async () => {
    const network = await emptyNetwork();
    const before = await rowsOf(isKept);
    for (const cell of ['\ud800', 'a\0b']) {
      const [texts] = withLines(bundleTexts(), 'capacity', `3,${cell},gpu,1,1`);
      await expect(load(network, texts)).rejects.toThrow(/capacity\.csv/);
    }
    expect(await rowsOf(isKept)).toEqual(before);
  });

  test('an epoch before its provider joined', async () => {
    const network = await emptyNetwork();
    const texts = bundleTexts();
    const providers = texts.providers.replace('p1,0,active', 'p1,2,active');
    await expect(load(network, { ...texts, providers })).rejects.toThrow(
      /capacity\.csv:4: epoch 0 is before provider p1 joined, in epoch 2/,
    );
    expect(await count(database, 'load', network)).toBe(1);
  });

  test('F34: a key that stands there twice with other values names both lines', async () => {
    const network = await emptyNetwork();
    const [texts, at] = withLines(bundleTexts(), 'capacity', '0,p0,gpu,10,1');
    await expect(load(network, texts)).rejects.toThrow(
      new RegExp(`capacity\\.csv:${at}: the key \\(0, p0, gpu\\) stands at line 2 already, with other values`),
    );
  });

  test('F34: a key that was loaded before with other values, too', async () => {
    const network = await makeNetwork(operator());
    const before = await rowsOf(isKept);
    await expect(load(network, { demand: 'epoch,market,requested\n1,gpu,7\n' })).rejects.toThrow(
      /demand\.csv:2: the key \(1, gpu\) was loaded before with other values: 22/,
    );
    expect(await rowsOf(isKept)).toEqual(before);
  });
});

describe('F34: a key that another load has written and not committed yet', () => {
  // A row that is there already takes the bundle by way of staging, which looks before it writes.
  const demand = (requested: number) => `epoch,market,requested\n0,gpu,20\n1,gpu,${requested}\n`;

  /** Loads beside a transaction that has written `1,gpu,22` and commits once the load waits for it. */
  async function loadBeside(requested: number) {
    const calendar = { first: 0, last: 9, holds: 'wait' } as const;
    const texts = bundleTexts({ epochs: 1 });
    const network = await makeNetworkOf(operator(), texts, JSON.stringify(policyDocument()), calendar);
    const first = await database.operator.connect();
    await first.query('begin');
    await lockInputs(first, network, 'shared');
    await first.query(`insert into demand values ($1, 1, 'gpu', 22)`, [network]);
    const loading = load(network, { demand: demand(requested) });
    loading.catch(() => undefined);
    await someoneWaits();
    await first.query('commit');
    first.release();
    return { network, loading };
  }

  async function someoneWaits(): Promise<void> {
    const waiting = `select from pg_locks l join pg_stat_activity a using (pid)
      where a.datname = current_database() and l.locktype = 'transactionid' and not l.granted`;
    while ((await database.viewer.query(waiting)).rowCount === 0) await new Promise((wake) => setTimeout(wake, 20));
  }

  test('with other values: it is waited for, and the load is refused', async () => {
    const { network, loading } = await loadBeside(99);
    await expect(loading).rejects.toThrow(/demand\.csv:3: the key \(1, gpu\) was loaded before with other values: 22/);
    const loads = await database.viewer.query('select count(*) as n from load where network = $1', [network]);
    expect(loads.rows).toEqual([{ n: 1 }]);
  });

  test('with the same values: it is the same row, and counts once', async () => {
    const { network, loading } = await loadBeside(22);
    expect((await loading).counts.demand).toMatchObject({ read: 2, added: 0, repeated: 2 });
    expect(await count(database, 'demand', network)).toBe(3);
  });
});

test('F34: the same row again, in this spelling or that, counts once', async () => {
  const network = await emptyNetwork();
  const texts = bundleTexts();
  const [twice] = withLines(texts, 'capacity', '0,p0,gpu,10.0,4.000', '0,p0,gpu,10,4');
  const { counts } = await load(network, twice);
  expect(counts.capacity).toMatchObject({ read: 20, added: 18, repeated: 2 });
});

test('rows outside the calendar are left out and counted where that was asked for', async () => {
  const network = await emptyNetwork();
  const [texts] = withLines(bundleTexts(), 'demand', '10,gpu,1', '11,gpu,1');
  const { counts } = await load(network, texts, { outsideCalendar: 'skip' });
  expect(counts.demand).toMatchObject({ read: 8, added: 6, outside: 2 });
  expect(await count(database, 'demand', network)).toBe(6);
});

describe('F38: rows of an epoch that is sealed', () => {
  const late = 'epoch,market,requested\n0,gpu,7\n0,disk,125.25\n';

  test('are kept apart and counted once; what was sealed stands', async () => {
    const network = await makeNetwork(operator());
    const activities = await activitiesOn(database.worker);
    const sealed = await activities.seal({ network, epoch: 0 });
    // One other value of a sealed key, and one row that is there already.
    expect((await load(network, { demand: late })).counts.demand).toMatchObject({ added: 0, late: 1, repeated: 1 });
    expect((await load(network, { demand: late })).counts.demand).toMatchObject({ added: 0, late: 0, repeated: 2 });
    const kept = await database.viewer.query('select epoch, table_name, line from late_row where network = $1', [
      network,
    ]);
    expect(kept.rows).toEqual([{ epoch: 0, table_name: 'demand', line: '0,gpu,7' }]);
    expect(await settleEpochInProcess(activities, { network, epoch: 0 })).toMatchObject({ kind: 'published' });
    expect(await activities.seal({ network, epoch: 0 })).toEqual(sealed);
  });

  test('a load that came first is waited for, and sealed', async () => {
    const network = await makeNetwork(operator());
    const activities = await activitiesOn(database.worker);
    const client = await database.operator.connect();
    await client.query('begin');
    await lockInputs(client, network, 'shared');
    await client.query(`insert into quote values ($1, 0, 'disk', 'late', 1)`, [network]);
    let sealed = false;
    const sealing = activities.seal({ network, epoch: 0 }).then(() => {
      sealed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sealed).toBe(false);
    await client.query('commit');
    client.release();
    await sealing;
    const found = await database.viewer.query<{ quotes: string }>(
      `select row_counts ->> 'quotes' as quotes from snapshot where network = $1`,
      [network],
    );
    expect(found.rows).toEqual([{ quotes: '4' }]);
  });

  test('a seal that came first is waited for, and the rows are late', async () => {
    const network = await makeNetwork(operator());
    const client = await database.worker.connect();
    await client.query('begin');
    await lockInputs(client, network, 'exclusive');
    const loading = load(network, { quotes: 'epoch,market,source,usd_per_unit\n0,disk,late,1\n1,disk,early,1\n' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.query(
      `insert into seal (network, epoch, policy_hash, registry_load)
       select network, 0, policy_hash, 1 from policy_effective where network = $1`,
      [network],
    );
    await client.query('commit');
    client.release();
    expect((await loading).counts.quotes).toMatchObject({ read: 2, added: 1, late: 1 });
  });

  test('loads of one network do not wait for each other, and both are whole', async () => {
    const network = await emptyNetwork();
    const [first, second] = await Promise.all([load(network, bundleTexts()), load(network, bundleTexts())]);
    const added = (report: typeof first) => report.counts.capacity?.added ?? 0;
    expect(added(first) + added(second)).toBe(18);
    expect(await count(database, 'capacity', network)).toBe(18);
    expect(await count(database, 'provider_version', network)).toBeGreaterThanOrEqual(3);
  });
});

test('the registry is versioned: an epoch is settled with the one that it was sealed with', async () => {
  const network = await makeNetwork(operator());
  const activities = await activitiesOn(database.worker);
  await activities.seal({ network, epoch: 0 });
  const providers = bundleTexts().providers.replace('p1,0,active', 'p1,0,suspended');
  expect((await load(network, { providers })).counts.providers).toMatchObject({ read: 3, added: 1, repeated: 2 });
  for (const epoch of [0, 1]) await settleEpochInProcess(activities, { network, epoch });
  const found = await database.viewer.query(
    `select epoch, reason from payout where network = $1 and provider = 'p1' order by epoch`,
    [network],
  );
  expect(found.rows).toEqual([
    { epoch: 0, reason: 'paid' },
    { epoch: 1, reason: 'suspended' },
  ]);
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statementPage } from '../../src/exports/statement/page';
import { writeWhole } from '../../src/exports/whole-files';
import { type ProviderStatement, type StatementRevision, statementOf } from '../../src/ledger/statement';
import type { Amount } from '../../src/numbers/units';

const units = (value: bigint) => value as Amount;
const AT = '2020-05-01T00:00:00Z';

const payout = (amount: bigint, reason = 'paid') => ({
  gross: units(amount + 3n),
  capCut: units(1n),
  scaleCut: units(2n),
  amount: units(amount),
  reason,
  multiplier: reason === 'paid' ? '1.05' : null,
});

function pageOf(changes: Partial<ProviderStatement> = {}, epochs = 3): string {
  const revisions = Array.from({ length: epochs }, (_, epoch): StatementRevision => {
    return { epoch, revision: 1, publishedAt: AT, payout: payout(10n ** 18n + BigInt(epoch)) };
  });
  const statement = statementOf({
    before: { entitled: 5n, paid: 0n },
    revisions: [...revisions, { epoch: 1, revision: 2, publishedAt: AT, payout: payout(7n) }],
    payments: [
      {
        epoch: 2,
        batch: 1,
        reference: 'tx<1>',
        payee: '0xa1',
        amount: units(4n * 10n ** 18n),
        confirmedAt: AT,
        late: true,
      },
    ],
  });
  return statementPage({
    network: 'swarm',
    provider: 'p0',
    registry: { joinedEpoch: 0, status: 'active', payee: '0xa1' },
    token: { symbol: 'BEEAI', decimals: 18 },
    calendar: { genesisSeconds: 1_588_291_200, lengthSeconds: 3_600 },
    first: 0,
    last: epochs - 1,
    archivedUpTo: null,
    from: AT,
    to: '2020-05-01T03:00:00Z',
    asOf: { position: 8, head: 'a'.repeat(64), publishedAt: AT },
    statement,
    inFlight: 0n,
    due: 0n,
    receivable: -statement.closing.balance,
    prices: [{ market: 'gpu.v100', points: revisions.map(({ epoch }) => ({ epoch, price: `1.${epoch}` })) }],
    ...changes,
  });
}

/** Text of the rows of the account, exact amounts as they are read. */
const rowsOf = (page: string): string[] =>
  [...page.slice(page.indexOf('id="account"')).matchAll(/<tr.*?<\/tr>/g)].map(([row]) =>
    row
      .replace(/<span class="tail">/g, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/ +/g, ' ')
      .trim(),
  );

test('the page shows every place of every amount, so that the columns add up', () => {
  const rows = rowsOf(pageOf());
  expect(rows.slice(1, 6)).toEqual([
    'Opening balance before epoch 0 0.000000000000000005',
    '0 2020-05-01 00:00 1 1.000000000000000003 −0.000000000000000003 1.000000000000000000 0 0 1.000000000000000005',
    '1 2020-05-01 01:00 2 revised 1.000000000000000004 −0.000000000000000003 1.000000000000000001 −0.999999999999999994 0 1.000000000000000012',
    '2 2020-05-01 02:00 1 1.000000000000000005 −0.000000000000000003 1.000000000000000002 0 −4.000000000000000000 −1.999999999999999986',
    'Closing balance after epoch 2 −1.999999999999999986',
  ]);
  expect(pageOf()).toContain('Receivable: the provider owes');
});

test('the page is whole in itself: no script, nothing to fetch, and a policy that says so', () => {
  const page = pageOf();
  expect(page).not.toMatch(/<script|<link|<img|<iframe|javascript:|@import|url\(|src=|href=/i);
  expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'");
  expect(page).toMatch(/@media print/);
  expect(page).toMatch(/prefers-color-scheme:dark/);
});

test('what others named is text and nothing else', () => {
  const evil = '</style><script>alert(1)</script>"\'&\u202e';
  const page = pageOf({ provider: evil, network: evil, token: { symbol: evil, decimals: 18 } });
  expect(page).not.toMatch(/<script|\u202e/);
  expect(page).toContain('&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u{202e}');
  expect(page).toContain('tx&lt;1&gt;');
});

test('every plot has a title, a description that says its course, and a table of its figures on the page', () => {
  const page = pageOf();
  const plots = [
    ...page.matchAll(
      /<svg[^>]* role="img" aria-labelledby="(\S+) (\S+)"><title id="(\S+)">([^<]+)<\/title><desc id="(\S+)">([^<]+)</g,
    ),
  ];
  expect(plots.map(([, , , , title]) => title)).toEqual([
    'Rewards in each epoch',
    'Balance',
    'Performance multiplier',
    'Price of gpu.v100',
  ]);
  for (const [, labelled, described, title, , desc, words] of plots) {
    expect([labelled, described]).toEqual([title, desc]);
    expect(words!.length).toBeGreaterThan(20);
  }
  expect(page).toMatch(/<caption id="price-1-figures">Price of gpu.v100 by epoch<\/caption>/);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the same account gives the same bytes, and years of it a page of bounded size', () => {
  expect(pageOf()).toBe(pageOf());
  const started = process.cpuUsage();
  const page = pageOf({}, 8_760);
  expect(process.cpuUsage(started).user / 1e6).toBeLessThan(10);
  expect(page.length).toBeLessThan(12_000_000);
  expect(rowsOf(page)).toHaveLength(8_760 + 3 + 2 + 2);
});

test('an account without epochs still has its page', () => {
  const statement = statementOf({ before: { entitled: 0n, paid: 0n }, revisions: [], payments: [] });
  const page = pageOf({ statement, prices: [], receivable: 0n });
  expect(page).toContain('Opening balance before epoch 0');
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

describe('a file that is written whole', () => {
  const root = mkdtempSync(join(tmpdir(), 'settle-whole-'));
  afterAll(() => rmSync(root, { recursive: true }));

  test('is left as it is when it is there, replaced when told to, and leaves nothing beside it', async () => {
    const path = join(root, 'page.html');
    await writeWhole(path, 'first', false);
    await expect(writeWhole(path, 'second', false)).rejects.toMatchObject({ id: 'export-exists' });
    expect(readFileSync(path, 'utf8')).toBe('first');
    await writeWhole(path, 'second', true);
    expect(readFileSync(path, 'utf8')).toBe('second');
    expect(readdirSync(root)).toEqual(['page.html']);
    await expect(writeWhole(join(root, 'nowhere', 'x'), 'y', false)).rejects.toMatchObject({
      id: 'export-not-written',
    });
  });
});

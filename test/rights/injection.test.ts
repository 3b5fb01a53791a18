import { Client } from 'pg';
import { decideHold } from '../../src/commands/decide-hold';
import { importBundle } from '../../src/commands/import-bundle';
import { recordDispute } from '../../src/commands/open-dispute';
import { createBatch, decideBatch } from '../../src/commands/payments';
import { recordAgain } from '../../src/commands/settle-again';
import type { Amount } from '../../src/numbers/units';
import { listEpochs } from '../../src/queries/epochs';
import { explainProviderPayout } from '../../src/queries/explain-payout';
import { marketOverview } from '../../src/queries/market-overview';
import { networkStatus } from '../../src/queries/network-status';
import { payoutPage, providerPayouts } from '../../src/queries/payouts';
import { priceRecord } from '../../src/queries/price-record';
import { listDisputes } from '../../src/store/disputes';
import { similarProviders } from '../../src/store/provider-reports';
import { findRequest } from '../../src/store/requests';
import { rows, withCorrections } from '../disputes/disputing';
import { freshDatabase, type TestDatabase } from '../harness/databases';
import { activitiesOn, settleAllInProcess } from '../harness/in-process';
import { bundleTexts, makeNetwork, withBundleFolder } from '../harness/networks';
import { allRows } from '../harness/rows';

/** Texts that mean something to a parser of SQL, of LIKE patterns, of regular expressions, or of JSON paths. */
const HOSTILE = [
  `x'; drop table settle.payout; --`,
  `' or '1'='1`,
  `'' union select passwd from pg_shadow --`,
  `$1`,
  `$$; select pg_sleep(5); $$`,
  `\\'; select 1; --`,
  `%`,
  `_%\\`,
  `(a+)+$`,
  `{"$ne": null}`,
  `$.** ? (@ == "x")`,
  `"; rollback; begin; --`,
  `x\u0027 or true --`,
] as const;

let database: TestDatabase;
let network: string;
const said: string[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  network = await makeNetwork({ pool: database.operator, actor: 'olivia' }, { missing: { 2: 'token' } });
  await settleAllInProcess(await activitiesOn(database.worker), network);
  const query = Client.prototype.query;
  jest.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...args: unknown[]) {
    const [statement] = args;
    said.push(typeof statement === 'string' ? statement : ((statement as { text?: string }).text ?? ''));
    return (query as (...args: unknown[]) => unknown).apply(this, args) as never;
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await database.close();
});

const anybody = () => ({ pool: database.viewer, actor: 'olivia' });
const db = () => database.viewer;

/** Everything that takes a text from outside and has to do with the database. */
const ROADS: readonly (readonly [string, (text: string) => Promise<unknown>])[] = [
  ['the network of a status', (text) => networkStatus(db(), text)],
  [
    'the network of a list',
    (text) => listEpochs(db(), text, { first: 0, last: 9, states: null, newest: null } as never),
  ],
  ['the market of a price', (text) => priceRecord(db(), network, 0, text, 3)],
  ['the network of a market', (text) => marketOverview(db(), text, 0, 3)],
  ['the provider of an explanation', (text) => explainProviderPayout(db(), network, 0, text)],
  ['the provider of payouts', (text) => providerPayouts(db(), network, text, { first: 0, last: 2 }, 5)],
  ['the place that a page goes on from', (text) => payoutPage(db(), network, 0, text, 2)],
  ['the beginning of a similar name', (text) => similarProviders(db(), network, text, 5)],
  ['the network of disputes', (text) => listDisputes(db(), text, null, false)],
  ['the id of a request', (text) => findRequest(db(), text)],
  ['the id of a new request', (text) => createBatch(anybody(), { network, minimum: 1n as Amount, requestId: text })],
  [
    'the reason of a decision',
    (text) =>
      decideBatch(
        { ...anybody(), actor: 'x' },
        { network, batch: 1, outcome: 'rejected', reason: text, linesDigest: null, requestId: null },
      ),
  ],
  [
    'the digest of a decision on a batch',
    (text) =>
      decideBatch(
        { ...anybody(), actor: 'x' },
        { network, batch: 1, outcome: 'rejected', reason: 'x', linesDigest: text, requestId: null },
      ),
  ],
  ['the reason of another run', (text) => recordAgain(anybody(), { network, epoch: 2, reason: text, requestId: null })],
  [
    'the actor and the digest of a decision',
    (text) =>
      decideHold({ ...anybody(), actor: text } as never, {
        network,
        epoch: 1,
        outcome: 'approved',
        reason: 'x',
        contentDigest: text,
      }),
  ],
  [
    'the reason of a dispute, and an id in its rows',
    (text) =>
      withCorrections(rows('capacity', `1,"${text.replaceAll('"', '""')}",gpu,1,1`), (corrections) =>
        recordDispute(anybody(), {
          network,
          epoch: 1,
          corrections,
          derive: 'pinned',
          revision: null,
          reason: text,
          late: false,
          requestId: null,
        }),
      ),
  ],
  [
    'an id in a bundle',
    (text) =>
      withBundleFolder(
        {
          ...bundleTexts({ epochs: 0, providers: 0 }),
          demand: `epoch,market,requested\n2,"${text.replaceAll('"', '""')}",1\n`,
        },
        (folder) => importBundle(anybody(), folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
      ),
  ],
];

test.each(ROADS)('S1: %s is a value, whatever is in it, and never a part of a statement', async (_what, road) => {
  const published = (line: string) => /^(payout|chain_entry|price|result)\(/.test(line);
  const before = (await allRows(database)).filter(published);
  for (const text of HOSTILE) {
    said.length = 0;
    const end = await road(text).then(
      () => null,
      (error: Error & { code?: string }) => error,
    );
    // Refused by a rule of ours or by nothing at all: never by the parser of the database.
    expect(end?.code ?? '').not.toMatch(/^(42601|42P|42703|42883|22)/);
    // A parameter's name is in every statement, and stands for no text of the person's.
    const inside = text === '$1' || text === '%' ? [] : said.filter((statement) => statement.includes(text));
    expect(inside).toEqual([]);
  }
  expect((await allRows(database)).filter(published)).toEqual(before);
});

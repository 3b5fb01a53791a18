import { createHash } from 'node:crypto';
import { checkRevision, headAfter } from '../../src/audit/second/chain';
import type { Hashes } from '../../src/audit/second/digests';
import type { PublishedEpoch } from '../../src/audit/second/exports';
import type { BundleFiles } from '../../src/audit/second/inputs';
import { type SettledBundle, settleBundle } from '../../src/audit/second/settle';
import { loadHashes } from './hashes';
import { instant, policyDocument } from './world';

let hashes: Hashes;
beforeAll(async () => {
  hashes = await loadHashes();
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const PAYEE = `0x${'1a'.repeat(20)}`;

/**
 * Epochs 10 and 12 are alike, 11 is a hole, 13 has no token price. Two providers serve 5 of 10 gpu hours each: at its
 * target, so that the price stays at 2. M5 is 1.5, M4 is 2, T is 1: 2 * 1.5 * 2 * (5 + 0.1 * 5) = 33 tokens each.
 */
const FILES: BundleFiles = {
  providers: `provider,joined_epoch,status,payee\nb,0,active,\na,0,active,${PAYEE.toUpperCase().replace('0X', '0x')}\nidle,0,active,\n`,
  capacity:
    'epoch,provider,market,offered,served\n12,a,gpu,10,5\n12,b,gpu,10,5\n10,b,gpu,10.0,5\n10,a,gpu,10,5\n13,a,gpu,1,1\n',
  performance: 'epoch,provider,uptime,response_ms,error_rate,rating\n10,a,1,,,\n10,b,1,,,\n12,a,1,,,\n12,b,1,,,\n',
  demand: 'epoch,market,requested\n',
  quotes: 'epoch,market,source,usd_per_unit\n',
  token: `epoch,source,observed_at,price_usd,volume_usd\n10,dex,${instant(1100)},1,7\n12,dex,${instant(1300)},1,7\n`,
  macro: 'epoch,index\n10,1.0\n',
};

function settle(files: Partial<BundleFiles> = {}, epochs?: { first: number; last: number }): SettledBundle {
  const bundle = { files: { ...FILES, ...files }, policy: policyDocument(), network: 'net', epochs };
  return settleBundle(bundle, hashes);
}

const lines = (csv: string) => csv.split('\n');
const published = (settled: SettledBundle) =>
  settled.outcomes.filter((outcome): outcome is PublishedEpoch => outcome.state === 'published');

const ZEROS = (count: number) => Array.from({ length: count }, () => '0').join(',');
// S, U, D, Sbar, Dbar, Dfast, Dslow, F, no C, Pprev, P0, P, 22 zeros, M1, M2, M3, M5, Mnet, rate.
const GPU = `gpu,20,10,10,20,10,10,10,10,,,2,2,2,${ZEROS(22)},1,1,1,1.5,1.5,3000000000`;
const DISK = `disk,${ZEROS(8)},,,2,2,2,${ZEROS(22)},1,1,1,1.5,1.5,3000000000`;
const TPU = `tpu,0,0,0,0,0,10,10,0,,,2,2,2,${ZEROS(22)},1,1,1,1.5,1.5,3000000000`;

describe('exports (spec §11)', () => {
  test('prices.csv', () => {
    expect(lines(settle().prices)).toEqual([
      'epoch,market,supply,used,demand,supply_mean,demand_mean,family_fast,family_slow,forecast,competitor,' +
        'competitor_epoch,prev,base,price,s_supply,s_demand,s_market_conditions,s_available_capacity,' +
        's_provider_growth,s_usage_patterns,s_peak_demand,s_competition,s_market_trends,c_supply,c_demand,' +
        'c_market_conditions,c_available_capacity,c_provider_growth,c_usage_patterns,c_competition,c_market_trends,' +
        'd_band,d_step,d_bounds,d_premium,d_ceiling,m_market_conditions,m_network_demand,m_resource_availability,' +
        'm_growth,m_network,rate',
      `10,${DISK}`,
      `10,${GPU}`,
      `10,${TPU}`,
      `12,${DISK}`,
      `12,${GPU}`,
      `12,${TPU}`,
      '',
    ]);
  });

  test('payouts.csv', () => {
    expect(settle().payouts).toBe(
      'epoch,provider,gross,cap_cut,scale_cut,amount,reason\n' +
        '10,a,33000000,0,0,33000000,paid\n10,b,33000000,0,0,33000000,paid\n' +
        '12,a,33000000,0,0,33000000,paid\n12,b,33000000,0,0,33000000,paid\n',
    );
  });

  test('epochs.csv, failed epochs with their number, revision 0 and their failure', () => {
    const [header, ten, eleven, twelve, thirteen, end] = lines(settle().epochs);
    expect(header).toBe(
      'epoch,revision,pool,sum,unallocated,unallocated_reason,active_providers,growth_phase,token_price,' +
        'token_volume,breakers,snapshot_digest,prices_digest,payouts_digest,claims_root,head',
    );
    expect(ten).toMatch(/^10,1,500000000,66000000,434000000,unspent,2,bootstrap,1,7,,/);
    expect(eleven).toBe('11,0,,,,,,,,,failed(incomplete-inputs),,,,,');
    expect(twelve).toMatch(/^12,1,500000000,66000000,434000000,unspent,2,bootstrap,1,7,,/);
    expect(thirteen).toBe('13,0,,,,,,,,,failed(incomplete-inputs),,,,,');
    expect(end).toBe('');
  });

  test('tripped breakers are named, and the epoch is published', () => {
    const policy = policyDocument();
    policy.breakers = { ...(policy.breakers as Record<string, string>), topShare: '0.4', priceChange: '0' };
    const settled = settleBundle({ files: FILES, policy, network: 'net' }, hashes);
    expect(lines(settled.epochs)[1]?.split(',')[10]).toBe('topShare');
  });
});

describe('digests and chain (spec §9)', () => {
  const cells = (csv: string, line: number) => (lines(csv)[line] as string).split(',');

  test('table and snapshot digests are those of the canonical lines', () => {
    const [snapshot, prices, payouts] = cells(settle().epochs, 1).slice(11, 14);
    expect(prices).toBe(sha256(`${DISK}\n${GPU}\n${TPU}\n`));
    expect(payouts).toBe(sha256('a,33000000,0,0,33000000,paid\nb,33000000,0,0,33000000,paid\n'));
    const tables = {
      providers: `a,0,active,${PAYEE}\nb,0,active,\n`,
      capacity: '10,a,gpu,10,5\n10,b,gpu,10,5\n',
      performance: '10,a,1,,,\n10,b,1,,,\n',
      demand: '',
      quotes: '',
      token: `10,dex,${instant(1100)},1,7\n`,
      macro: '10,1\n',
    };
    const digests = Object.entries(tables).map(([name, text]) => `${name}:${sha256(text)}\n`);
    expect(snapshot).toBe(sha256(digests.join('')));
  });

  test('heads follow from the canonical JSON of revision and claims entries', () => {
    const settled = settle();
    const [first, second] = published(settled) as [PublishedEpoch, PublishedEpoch];
    const { policyHash, snapshotDigest, pricesDigest, payoutsDigest } = first.content;
    const entry =
      `{"activeProviders":2,"epoch":10,"growthPhase":"bootstrap","kind":"revision","macro":"1","network":"net",` +
      `"payoutsDigest":"${payoutsDigest}","policyHash":"${policyHash}","pool":"500000000",` +
      `"previousHead":"${'0'.repeat(64)}","pricesDigest":"${pricesDigest}","revision":1,"ruleset":1,` +
      `"snapshotDigest":"${snapshotDigest}","sum":"66000000","tokenPrice":"1","tokenVolume":"7","unallocated":"434000000"}`;
    expect(first.head).toBe(sha256(entry));
    expect(first.contentDigest).toBe(sha256(entry.replace(`"previousHead":"${'0'.repeat(64)}",`, '')));
    const claims =
      `{"epoch":10,"kind":"claims","network":"net","payees":1,"previousHead":"${first.head}","revision":1,` +
      `"root":"${first.claimsContent.root}","total":"33000000"}`;
    expect(first.claimsHead).toBe(sha256(claims));
    expect(cells(settled.epochs, 1).slice(14)).toEqual([first.claimsContent.root, first.claimsHead]);
    expect(second.previousHead).toBe(first.claimsHead);
    expect(second.claims).toEqual([{ payee: PAYEE, cumulative: 66_000_000n }]);
  });

  test('the hash of a policy is of its strings as written', () => {
    const hashOf = (target: string) => {
      const policy = policyDocument();
      (policy.market as Record<string, Record<string, string>>).disk!.targetUtilisation = target;
      const settled = settleBundle({ files: FILES, policy, network: 'net' }, hashes);
      return (published(settled)[0] as PublishedEpoch).content.policyHash;
    };
    expect(hashOf('0.5')).toBe((published(settle())[0] as PublishedEpoch).content.policyHash);
    expect(hashOf('0.50')).not.toBe(hashOf('0.5'));
  });

  test('a published revision checks out, and every tampered figure is named', () => {
    const [revision] = published(settle()) as [PublishedEpoch];
    expect(checkRevision(revision, hashes)).toEqual([]);
    const found = (changes: Partial<PublishedEpoch>) =>
      checkRevision({ ...revision, ...changes }, hashes).map(({ check }) => check);
    const { claimsContent: claims } = revision;
    expect(found({ content: { ...revision.content, sum: '1' } })).toEqual(['content-digest', 'head']);
    expect(found({ previousHead: '1'.repeat(64) })).toEqual(['head']);
    expect(found({ head: '1'.repeat(64) })).toEqual(['head', 'claims-head']);
    expect(found({ claimsHead: '1'.repeat(64) })).toEqual(['claims-head']);
    expect(found({ contentDigest: '1'.repeat(64) })).toEqual(['content-digest']);
    expect(found({ claims: [] })).toEqual(['claims-payees', 'claims-total', 'claims-root', 'claims-head']);
    expect(found({ claimsContent: { ...claims, total: '1' } })).toEqual(['claims-total']);
    expect(found({ claimsContent: { ...claims, revision: 2 } })).toEqual(['claims-epoch']);
  });

  test('two spellings of the same rows give the same heads', () => {
    const spelt = settle({
      capacity: FILES.capacity.replaceAll('\n', '\r\n').replace('12,a,gpu,10,5', '12,a,gpu,10.000,05'),
      macro: 'epoch,index\n10,1\n10,1.000\n',
    });
    expect(spelt.epochs).toBe(settle().epochs);
  });

  test('a head depends on the network', () => {
    const [revision] = published(settle()) as [PublishedEpoch];
    const other = { ...revision.content, network: 'other' };
    expect(headAfter(other, revision.previousHead, hashes.sha256)).not.toBe(revision.head);
  });
});

describe('epochs of a run', () => {
  const numbers = (settled: SettledBundle) => settled.outcomes.map(({ epoch, state }) => `${epoch} ${state}`);

  test('failures say what is missing', () => {
    expect(settle().outcomes.map((outcome) => (outcome.state === 'failed' ? outcome.missing : 'published'))).toEqual([
      'published',
      ['capacity', 'token-price'],
      'published',
      ['token-price'],
    ]);
  });

  test('a range settles its epochs only, as a network that begins with them', () => {
    const settled = settle({}, { first: 12, last: 12 });
    expect(numbers(settled)).toEqual(['12 published']);
    expect(settled.outcomes[0]).toMatchObject({ previousHead: '0'.repeat(64) });
  });

  test('a range beyond the tables fails there for lack of inputs', () => {
    expect(numbers(settle({}, { first: 9, last: 10 }))).toEqual(['9 failed', '10 published']);
  });

  test('unmeasured uptimes do not fail an epoch', () => {
    const settled = settle(
      { performance: 'epoch,provider,uptime,response_ms,error_rate,rating\n' },
      { first: 10, last: 10 },
    );
    expect(settled.payouts).toContain('10,a,16500000,0,0,16500000,paid\n');
    expect(lines(settled.epochs)[1]?.split(',')[10]).toBe('unmeasuredShare');
  });

  test('a failed epoch is no history: its figures move nothing', () => {
    // Epoch 11 has vast supply but no token price; epoch 12 still sees a mean supply of 20.
    const settled = settle({ capacity: `${FILES.capacity}11,a,gpu,1000000,0\n` });
    expect(settled.prices).toBe(settle().prices);
    expect(numbers(settled)).toEqual(['10 published', '11 failed', '12 published', '13 failed']);
  });

  test('a bundle without any epoch is an error', () => {
    const none = Object.fromEntries(Object.entries(FILES).map(([name, text]) => [name, `${lines(text)[0]}\n`]));
    expect(() => settle(none)).toThrow(/no row of an epoch/);
  });
});

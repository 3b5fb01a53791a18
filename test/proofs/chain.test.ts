import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { nodeHashes } from '../../src/hashing/node-hashes';
import { type ChainEntry, chainEntry, GENESIS_HEAD, verifyChain } from '../../src/proofs/chain';
import {
  type ClaimsContent,
  checkedContent,
  claimsContent,
  type RevisionContent,
  revisionContent,
} from '../../src/proofs/contents';
import type { Hashes } from '../../src/proofs/hashes';

let hashes: Hashes;
beforeAll(async () => {
  hashes = await nodeHashes();
});

const REVISION: Omit<RevisionContent, 'kind'> = {
  network: 'swarm',
  epoch: 7,
  revision: 1,
  ruleset: 1,
  policyHash: 'a'.repeat(64),
  snapshotDigest: 'b'.repeat(64),
  pricesDigest: 'c'.repeat(64),
  payoutsDigest: 'd'.repeat(64),
  activeProviders: 3,
  growthPhase: 'bootstrap',
  tokenPrice: '0.25',
  tokenVolume: '1000000',
  macro: '1',
  pool: '50000000000000000000000',
  sum: '49999999999999999999999',
  unallocated: '1',
};
const CLAIMS: Omit<ClaimsContent, 'kind'> = {
  network: 'swarm',
  epoch: 7,
  revision: 1,
  payees: 2,
  total: '49999999999999999999999',
  root: `0x${'e'.repeat(64)}`,
};

/** A chain of revisions, each followed by its claims. */
function chainOf(revisions: readonly { epoch: number; revision: number }[], network = 'swarm'): ChainEntry[] {
  const chain: ChainEntry[] = [];
  let head = GENESIS_HEAD;
  for (const names of revisions) {
    for (const content of [
      revisionContent({ ...REVISION, ...names, network }),
      claimsContent({ ...CLAIMS, ...names, network }),
    ]) {
      const entry = chainEntry(hashes, content, head);
      chain.push(entry);
      head = entry.head;
    }
  }
  return chain;
}

const THREE = [
  { epoch: 7, revision: 1 },
  { epoch: 8, revision: 1 },
  { epoch: 7, revision: 2 },
];

describe('an entry', () => {
  test('is the content with the head before it, in canonical JSON, and its SHA-256 is the head', () => {
    const { entry, head } = chainEntry(hashes, revisionContent(REVISION), GENESIS_HEAD);
    expect(entry).toBe(
      `{"activeProviders":3,"epoch":7,"growthPhase":"bootstrap","kind":"revision","macro":"1","network":"swarm",` +
        `"payoutsDigest":"${'d'.repeat(64)}","policyHash":"${'a'.repeat(64)}","pool":"50000000000000000000000",` +
        `"previousHead":"${'0'.repeat(64)}","pricesDigest":"${'c'.repeat(64)}","revision":1,"ruleset":1,` +
        `"snapshotDigest":"${'b'.repeat(64)}","sum":"49999999999999999999999","tokenPrice":"0.25",` +
        `"tokenVolume":"1000000","unallocated":"1"}`,
    );
    expect(head).toBe(createHash('sha256').update(entry).digest('hex'));
  });

  test('of claims has the keys of the specification', () => {
    const { entry } = chainEntry(hashes, claimsContent(CLAIMS), 'f'.repeat(64));
    expect(entry).toBe(
      `{"epoch":7,"kind":"claims","network":"swarm","payees":2,"previousHead":"${'f'.repeat(64)}","revision":1,` +
        `"root":"0x${'e'.repeat(64)}","total":"49999999999999999999999"}`,
    );
  });

  test.each(['', '0', 'F'.repeat(64), `0x${'0'.repeat(62)}`])('does not follow the head %j', (head) => {
    expect(() => chainEntry(hashes, claimsContent(CLAIMS), head)).toThrow(
      expect.objectContaining({
        id: 'head-not-valid',
        what: `${JSON.stringify(head)} is no head of a chain.`,
        where: 'claims of epoch 7, revision 1',
      }),
    );
  });

  test.each([
    ['network', 'a b'],
    ['epoch', -1],
    ['epoch', '7'],
    ['epoch', 1.5],
    ['revision', 0],
    ['activeProviders', 2 ** 53],
    ['policyHash', `0x${'a'.repeat(64)}`],
    ['pricesDigest', 'C'.repeat(64)],
    ['tokenPrice', '0.250'],
    ['tokenPrice', '1e-7'],
    ['macro', 1],
    ['pool', '5e22'],
    ['sum', '-1'],
    ['unallocated', '01'],
    ['growthPhase', undefined],
    ['growthPhase', 7],
    // As text, these would be of the right form.
    ['network', 7],
    ['sum', 5],
    ['tokenPrice', 2],
    ['policyHash', ['a'.repeat(64)]],
    ['epoch', -0],
    ['policyHash', 'a'.repeat(65)],
    ['tokenPrice', '.5'],
    ['tokenPrice', '0.'],
    ['unallocated', '1.0'],
  ])('is not made where %s is %j', (field, value) => {
    expect(() => revisionContent({ ...REVISION, [field]: value })).toThrow(
      expect.objectContaining({ id: 'content-not-valid', where: field }),
    );
  });

  test.each([
    ['kind', 'revision'],
    ['root', ['0x'.padEnd(66, 'e')]],
    ['root', `0x${'e'.repeat(65)}`],
    ['root', `00x${'e'.repeat(64)}`],
    ['root', 'e'.repeat(64)],
    ['total', 5],
    ['payees', -1],
    ['revision', 0],
  ])('of claims is not made where %s is %j', (field, value) => {
    const content = { ...CLAIMS, kind: 'claims', [field]: value };
    if (field === 'kind') expect(() => checkedContent(content)).toThrow(expect.objectContaining({ where: 'ruleset' }));
    else expect(() => checkedContent(content)).toThrow(expect.objectContaining({ where: field }));
  });

  test('is of one of the two kinds', () => {
    expect(() => checkedContent({ ...REVISION, kind: 'other' })).toThrow(expect.objectContaining({ where: 'kind' }));
    expect(() => checkedContent({ ...REVISION })).toThrow(/kind is missing/);
  });

  test('may have counts of 0 and decimals of any length', () => {
    const content = { ...REVISION, epoch: 0, activeProviders: 0, tokenPrice: '12.0345', tokenVolume: '0', pool: '0' };
    expect(revisionContent(content)).toEqual({ kind: 'revision', ...content });
    expect(claimsContent({ ...CLAIMS, payees: 0, total: '0' }).payees).toBe(0);
  });

  test('is not made with a key that the specification does not have, or without one', () => {
    const { root: _root, ...rootless } = CLAIMS;
    expect(() => claimsContent({ ...CLAIMS, note: 'x' } as never)).toThrow(expect.objectContaining({ where: 'note' }));
    expect(() => claimsContent(rootless as never)).toThrow(expect.objectContaining({ where: 'root' }));
    expect(() => revisionContent({ ...REVISION, root: CLAIMS.root } as never)).toThrow(
      expect.objectContaining({ where: 'root' }),
    );
  });
});

describe('a chain', () => {
  test('of revisions and their claims is whole', () => {
    const chain = chainOf(THREE);
    expect(verifyChain(hashes, chain)).toEqual({ entries: 6, head: chain[5]?.head, fault: null });
    expect(verifyChain(hashes, chain, chain[5]?.head).fault).toBeNull();
  });

  test('without entries ends at 64 zeros', () => {
    expect(verifyChain(hashes, [])).toEqual({ entries: 0, head: GENESIS_HEAD, fault: null });
  });

  test('breaks at, or right after, any entry of which one character was changed', () => {
    const chain = chainOf(THREE);
    const change = fc.record({
      index: fc.nat(chain.length - 1),
      place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      char: fc.constantFrom(...'0123456789abcdef"{}:, '),
    });
    fc.assert(
      fc.property(change, ({ index, place, char }) => {
        const { entry } = chain[index]!;
        const at = Math.floor(place * entry.length);
        fc.pre(entry[at] !== char);
        const forged = chain.map(({ entry: text }) => ({ entry: text }));
        forged[index] = { entry: entry.slice(0, at) + char + entry.slice(at + 1) };
        const { fault } = verifyChain(hashes, forged, chain[5]!.head);
        expect(fault).not.toBeNull();
        expect(fault!.index === index || fault!.index === index + 1).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('cut off at its end is noticed by a head kept from elsewhere only', () => {
    const chain = chainOf(THREE);
    const cut = chain.slice(0, 4);
    expect(verifyChain(hashes, cut).fault).toBeNull();
    expect(verifyChain(hashes, cut, chain[5]?.head).fault).toMatchObject({ index: 4, reason: /^the chain ends at/ });
  });

  const reasonOf = (entries: readonly { entry: string; head?: string }[]) => verifyChain(hashes, entries).fault;

  test.each([
    ['its first entry taken out', (c: ChainEntry[]) => c.slice(1), 0, /names the previous head/],
    ['an entry taken out of its middle', (c: ChainEntry[]) => c.toSpliced(2, 1), 2, /names the previous head/],
    ['two entries exchanged', (c: ChainEntry[]) => [c[1]!, c[0]!, ...c.slice(2)], 0, /names the previous head/],
    ['an entry twice', (c: ChainEntry[]) => c.toSpliced(1, 0, c[0]!), 1, /names the previous head/],
    ['no claims at its end', (c: ChainEntry[]) => c.slice(0, 5), 5, /claims of epoch 7, revision 2 are missing/],
    ['a wrong stored head', (c: ChainEntry[]) => c.with(1, { ...c[1]!, head: GENESIS_HEAD }), 1, /stored head/],
    ['spaces in an entry', (c: ChainEntry[]) => c.with(1, { entry: ` ${c[1]!.entry}`, head: '' }), 1, /canonical/],
    ['a number for an entry', (c: ChainEntry[]) => c.with(0, { entry: '7', head: '' }), 0, /not a JSON object/],
    ['something for an entry', (c: ChainEntry[]) => c.with(0, { entry: '{', head: '' }), 0, /not a JSON object/],
    ['null for an entry', (c: ChainEntry[]) => c.with(0, { entry: 'null', head: '' }), 0, /not a JSON object/],
    ['a list for an entry', (c: ChainEntry[]) => c.with(0, { entry: '[]', head: '' }), 0, /not a JSON object/],
    ['an empty object', (c: ChainEntry[]) => c.with(0, { entry: '{}', head: '' }), 0, /no valid previousHead/],
    ['half a character', (c: ChainEntry[]) => c.with(0, { entry: '{"a":"\\ud800"}', head: '' }), 0, /lone surrogate/],
  ])('with %s is broken there', (_name, spoil, index, reason) => {
    expect(reasonOf(spoil(chainOf(THREE)))).toEqual({ index, reason: expect.stringMatching(reason) });
  });

  test('with an entry of which a figure is none is broken there, in the words of what refused it', () => {
    const [first] = chainOf(THREE);
    const fault = reasonOf([{ entry: first!.entry.replace('"pool":"5', '"pool":"x5') }]);
    expect(fault).toEqual({ index: 0, reason: expect.stringContaining('pool') });
  });

  /** Chains any contents, whether they belong together or not. */
  const chained = (contents: readonly (RevisionContent | ClaimsContent)[]) => {
    let head = GENESIS_HEAD;
    return contents.map((content) => {
      const entry = chainEntry(hashes, content, head);
      head = entry.head;
      return entry;
    });
  };

  test('has claims after every revision, of that revision', () => {
    const revision = revisionContent(REVISION);
    expect(reasonOf(chained([revision, revisionContent({ ...REVISION, epoch: 8 })]))).toMatchObject({
      index: 1,
      reason: 'the claims of epoch 7, revision 1 are missing',
    });
    expect(reasonOf(chained([revision, claimsContent({ ...CLAIMS, epoch: 8 })]))).toMatchObject({ index: 1 });
    expect(reasonOf(chained([claimsContent(CLAIMS)]))).toMatchObject({ index: 0 });
    expect(reasonOf(chained([revision, claimsContent({ ...CLAIMS, revision: 2 })]))).toEqual({
      index: 1,
      reason: 'these are claims of epoch 7, revision 2, which is not the entry before them',
    });
    expect(reasonOf(chained([revision, claimsContent(CLAIMS), claimsContent(CLAIMS)]))).toMatchObject({ index: 2 });
  });

  test('has the revisions of an epoch count up from 1', () => {
    expect(reasonOf(chainOf([{ epoch: 7, revision: 2 }]))).toMatchObject({
      index: 0,
      reason: 'it is revision 2 of epoch 7 where revision 1 is due',
    });
    expect(reasonOf(chainOf([THREE[0]!, THREE[0]!]))).toMatchObject({ index: 2 });
  });

  test('belongs to one network', () => {
    const other = revisionContent({ ...REVISION, network: 'other', epoch: 8 });
    expect(reasonOf(chained([revisionContent(REVISION), claimsContent(CLAIMS), other]))).toMatchObject({
      index: 2,
      reason: 'it belongs to the network other, the entries before it to swarm',
    });
  });

  test('has no entry with a key given twice', () => {
    const [first] = chainOf(THREE);
    const doubled = first!.entry.replace('"epoch":7', '"epoch":7,"epoch":7');
    expect(reasonOf([{ entry: doubled }])).toEqual({ index: 0, reason: 'it is not in canonical JSON (RFC 8785)' });
  });
});

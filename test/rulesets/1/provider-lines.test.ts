import fc from 'fast-check';
import { parseScaled } from '../../../src/numbers/amounts';
import { eachProvider, OrphanCapacity, providersOfLines } from '../../../src/rulesets/1/provider-lines';

const bytes = (lines: readonly string[]) => new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));

/** Ids that are prefixes of each other, or differ in their last byte only. */
const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,4}$/);
const cell = (decimals: number) =>
  fc.oneof(
    fc
      .tuple(fc.nat(), fc.nat({ max: 10 ** decimals - 1 }))
      .map(([whole, part]) => (part === 0 ? `${whole}` : `${whole}.${part}`)),
    fc.constantFrom('0', '0.5', '1', '999999999', '123456789012345678901234567890.123', '1000000000.001'),
  );
const empty = (arbitrary: fc.Arbitrary<string>) => fc.oneof(arbitrary, fc.constant(''));

const provider = fc.record({
  registered: fc.boolean(),
  payee: fc.constantFrom('', `0x${'ab'.repeat(20)}`),
  capacity: fc.array(fc.tuple(id, cell(3), cell(3)), { maxLength: 3 }),
  performance: fc.option(fc.tuple(empty(cell(3)), empty(cell(3)), empty(cell(3)), empty(cell(3)))),
});

/** The same, read as one would first: by splitting. */
function naive(lines: Parameters<typeof providersOfLines>) {
  const [registry, capacity, performance] = lines.map((table) => table.map((line) => line.split(',')));
  const count = (text: string, decimals: number) => (text === '' ? null : Number(parseScaled(text, decimals)));
  return registry!.map(([own, , status]) => {
    const values = performance!.find((row) => row[1] === own);
    return {
      provider: own,
      status,
      capacity: capacity!
        .filter((row) => row[1] === own)
        .map(([, , market, offered, served]) => ({
          market,
          offered: parseScaled(offered!, 6),
          served: parseScaled(served!, 6),
        })),
      performance:
        values === undefined
          ? null
          : {
              uptimeMicro: count(values[2]!, 6),
              responseMicroseconds: values[3] === '' ? null : parseScaled(values[3]!, 3),
              errorRateMicro: count(values[4]!, 6),
              ratingMilli: count(values[5]!, 3),
            },
    };
  });
}

describe('eachProvider', () => {
  test('reads from bytes what splitting the lines gives', () => {
    fc.assert(
      fc.property(fc.dictionary(id, provider), fc.constantFrom('0', '7', '123456'), (providers, epoch) => {
        const sorted = Object.entries(providers).sort(([a], [b]) => (a < b ? -1 : 1));
        const lines: Parameters<typeof providersOfLines> = [
          sorted.filter(([, { registered }]) => registered).map(([own, { payee }]) => `${own},0,active,${payee}`),
          sorted
            .filter(([, { registered }]) => registered)
            .flatMap(([own, { capacity }]) => capacity.map((cells) => [epoch, own, ...cells].join(','))),
          sorted.flatMap(([own, { performance }]) =>
            performance === null ? [] : [[epoch, own, ...performance].join(',')],
          ),
        ];
        expect([...providersOfLines(...lines)]).toEqual(naive(lines));
      }),
    );
  });

  test.each([
    ['nowhere in the registry', ['a,0,active,', 'c,0,active,'], ['0,a,m,1,1', '0,b,m,1,1', '0,c,m,1,1']],
    ['after all of the registry', ['a,0,active,'], ['0,a,m,1,1', '0,b,m,1,1']],
    ['out of order', ['a,0,active,', 'b,0,active,'], ['0,b,m,1,1', '0,a,m,1,1']],
  ])('a capacity row whose provider is %s is an orphan', (_where, registry, capacity) => {
    expect(() => [...providersOfLines(registry, capacity, [])]).toThrow(OrphanCapacity);
    expect(new OrphanCapacity('').name).toBe('OrphanCapacity');
  });

  test('a table that ends in the middle of a line is refused, not read on for ever', () => {
    const whole = { providers: bytes(['a,0,active,']), capacity: bytes(['0,a,m,1,2']), performance: bytes([]) };
    for (let length = 1; length < whole.capacity.length; length += 1) {
      const cut = { ...whole, capacity: whole.capacity.slice(0, length) };
      expect(() => [...eachProvider(cut)]).toThrow();
    }
  });
});

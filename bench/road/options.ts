import { parseArgs } from 'node:util';

export const COMPARISONS = ['audit', 'floor', 'sql', 'decimal', 'merkle'] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface BenchOptions {
  readonly providers: number;
  readonly markets: number;
  readonly epochs: number;
  readonly runs: number;
  /** Worker processes that share the chunks. */
  readonly workers: number;
  /** Whether more is earned than the pool has, so that every amount is cut (two passes), or not. */
  readonly pool: 'binds' | 'suffices';
  readonly comparisons: readonly Comparison[];
  /** What the result is filed under in bench/results/. */
  readonly label: string | null;
  readonly write: boolean;
  /** Nothing is measured: the page is written from the kept results. */
  readonly pageOnly: boolean;
}

const USAGE = `npm run bench -- [options]
  --providers N       providers, each with one capacity row and one performance row an epoch (100000)
  --markets M         markets, a few of them with most of the providers (8)
  --epochs K          epochs of the bundle (1)
  --runs R            runs, each on servers and a database of its own (1)
  --workers W         worker processes (1)
  --pool binds|suffices
  --compare LIST      of ${COMPARISONS.join(',')}; or none
  --label TEXT        name of the result's file; else version, providers and epochs
  --dry               writes no result and no page
  --page              only writes the page, from the kept results
`;

/** The options of the command line. @throws Error that shows the usage */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      providers: { type: 'string', default: '100000' },
      markets: { type: 'string', default: '8' },
      epochs: { type: 'string', default: '1' },
      runs: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1' },
      pool: { type: 'string', default: 'binds' },
      compare: { type: 'string', default: COMPARISONS.join(',') },
      label: { type: 'string' },
      dry: { type: 'boolean', default: false },
      page: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(USAGE);
  const count = (text: string): number => {
    if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new Error(`${text} is no count above 0\n${USAGE}`);
    return Number(text);
  };
  const wanted = values.compare === 'none' ? [] : values.compare.split(',');
  const unknown = wanted.find((name) => !COMPARISONS.includes(name as Comparison));
  if (unknown !== undefined) throw new Error(`--compare ${unknown}: there is no such comparison\n${USAGE}`);
  if (values.pool !== 'binds' && values.pool !== 'suffices') throw new Error(USAGE);
  return {
    providers: count(values.providers),
    markets: count(values.markets),
    epochs: count(values.epochs),
    runs: count(values.runs),
    workers: count(values.workers),
    pool: values.pool,
    comparisons: wanted as Comparison[],
    label: values.label ?? null,
    write: !values.dry,
    pageOnly: values.page,
  };
}

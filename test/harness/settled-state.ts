import type { TestDatabase } from './databases';

/** All that settling a network leaves for good, free of moments and runs: equal states were settled equally. */
export interface SettledState {
  readonly chain: readonly { kind: string; epoch: number; revision: number; contentDigest: string; head: string }[];
  readonly failures: readonly { epoch: number; failure: string }[];
  /** Rows of the published computations. */
  readonly payouts: readonly { epoch: number; provider: string; amount: string }[];
  readonly claims: readonly { position: number; payee: string; cumulative: string }[];
}

export async function settledState(
  { superuser }: Pick<TestDatabase, 'superuser'>,
  network: string,
): Promise<SettledState> {
  const rows = async <T extends object>(sql: string) =>
    (await superuser.query<T>(sql.replaceAll('from ', 'from settle.'), [network])).rows;
  return {
    chain: await rows(
      `select kind, epoch, revision, content_digest as "contentDigest", head from chain_entry
       where network = $1 order by position`,
    ),
    failures: await rows('select epoch, failure from epoch_failure where network = $1 order by epoch, failure_no'),
    payouts: await rows(
      `select epoch, provider, amount::text from payout where network = $1 order by epoch, computation, provider`,
    ),
    claims: await rows(
      'select position, payee, cumulative::text from claim where network = $1 order by position, payee',
    ),
  };
}

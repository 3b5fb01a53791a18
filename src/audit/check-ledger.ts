import { requireSameLines } from './difference';
import { type Dossier, rowOf } from './dossier';
import { contentOf } from './records';

/** `ledger`: the publication's journal is what its content says (revision 1) or what it changed (later ones), balanced. */
export function checkLedger(dossier: Dossier): string {
  const { base, result, postings } = dossier;
  const { content } = contentOf({ entry: result.content });
  const expected: [string, bigint][] =
    base === null
      ? [
          ['emission', -BigInt(content.pool)],
          ['providers', BigInt(content.sum)],
          ['treasury', BigInt(content.unallocated)],
        ]
      : [
          ['providers', BigInt(content.sum) - BigInt(contentOf(base).content.sum)],
          ['treasury', BigInt(contentOf(base).content.sum) - BigInt(content.sum)],
        ];
  const table = {
    table: 'ledger_posting',
    columns: ['account', 'amount'],
    keyLength: 1,
    prefix: `publication/${rowOf(dossier)}/`,
  };
  const line = (account: string, amount: string | bigint) => `${account},${amount}`;
  const stored = postings.map(({ account, amount }) => line(account, amount)).sort();
  requireSameLines(
    table,
    stored,
    expected.map(([account, amount]) => line(account, amount)),
  );
  return `${expected.length} postings of journal publication/${rowOf(dossier)}`;
}

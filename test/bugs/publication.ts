import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in sealing, rewarding and publishing (spec §3, §8, §9). */
export const PUBLICATION_BUGS: readonly SeededBug[] = [
  {
    id: 'publish-does-not-look',
    mistake: 'publishing does not look first whether the revision is there: a retry finds no work of its own',
    file: 'activities/publish.ts',
    find: 'if (stored !== null) return alreadyPublished(stored, digest);',
    replace: '',
    caughtBy: tests(
      'test/activities/publish.test.ts',
      'twice: the second time finds the first, with its head',
      'F8: COMMIT was done and its answer lost: the retry finds the publication, also when others came after it',
    ),
  },
  {
    id: 'published-in-two-transactions',
    mistake: 'the chain entry is committed before the ledger is booked',
    file: 'activities/publish.ts',
    find: 'await bookPublication(client, key);',
    replace: "await client.query('commit');\n  await client.query('begin');\n  await bookPublication(client, key);",
    caughtBy: tests(
      'test/activities/publish.test.ts',
      'F6: a backend that is terminated before COMMIT leaves nothing, and the error may be retried',
    ),
  },
  {
    id: 'network-lock-dropped',
    mistake: 'the row of the network is read without locking it',
    file: 'src/store/networks.ts',
    find: 'from network where network = $1 for update',
    replace: 'from network where network = $1',
    caughtBy: [
      ...tests(
        'test/activities/publish.test.ts',
        'by two workers at the same moment: one publishes, the other finds it',
      ),
      ...tests(
        'test/ledger/payments.test.ts',
        'F24: ten at once: exactly one batch gets the money, nine are told whose and since when',
      ),
    ],
  },
  {
    id: 'chunk-lock-dropped',
    mistake: 'two attempts of one chunk may write its rows at the same time',
    file: 'src/store/payouts.ts',
    find: `await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [`,
    replace: `await client.query('select hashtext($1), hashtext($2)', [`,
    caughtBy: tests(
      'test/activities/chunks.test.ts',
      'a first attempt that is slow at reward:copied and its retry leave the rows once',
    ),
  },
  {
    id: 'late-round-overwrites',
    mistake: 'an attempt of the first round that wakes up late replaces the scaled rows of the second',
    file: 'src/store/payouts.ts',
    find: "if (round === 'unscaled' && (",
    replace: "if (round !== 'unscaled' && round !== 'final' && (",
    caughtBy: tests(
      'test/activities/chunks.test.ts',
      'an attempt of the first round that wakes up after the second does not undo it',
    ),
  },
  {
    id: 'seal-in-the-middle-of-a-load',
    mistake: 'sealing does not wait for a load that is under way',
    file: 'activities/seal.ts',
    find: "await lockInputs(client, ref.network, 'exclusive');",
    replace: "await lockInputs(client, ref.network, 'shared');",
    caughtBy: tests('test/store/import.test.ts', 'a load that came first is waited for, and sealed'),
  },
  {
    id: 'changed-rows-rewarded',
    mistake: 'the rows that a chunk reads are not compared with the digest that they were sealed with',
    file: 'activities/reward.ts',
    find: 'requireSealed(chunk.bounds, read);',
    replace: '',
    caughtBy: tests(
      'test/activities/guards.test.ts',
      'a chunk changed after sealing is noticed where it is only summed',
    ),
  },
  {
    id: 'changed-drafts-published',
    mistake: 'a computation that was checked before is not compared with what it was then',
    file: 'activities/check.ts',
    find: 'if (now === known.contentDigest) return;',
    replace: 'if (now !== undefined) return;',
    caughtBy: tests(
      'test/activities/guards.test.ts',
      'draft payouts changed after they were checked are not published',
    ),
  },
  {
    id: 'chain-guard-skipped',
    mistake: 'a computation is published although a revision that it read was superseded meanwhile',
    file: 'activities/publish.ts',
    find: "if ((await guardChain(client, key, header, network)) === 'superseded') return { kind: 'superseded' };",
    replace: 'if (header.history.length < 0) await guardChain(client, key, header, network);',
    caughtBy: [
      ...tests(
        'test/disputes/history.test.ts',
        'a hold that was approved just before is not published: its history changed',
      ),
      ...tests('test/activities/guards.test.ts', 'an epoch is not published while one below it is open'),
    ],
  },
  {
    id: 'epoch-skipped',
    mistake: 'an epoch is published over one below it that is neither published nor failed',
    file: 'activities/guard-chain.ts',
    find: 'if (!now.has(epoch) && !failed.has(epoch))',
    replace: 'if (!now.has(epoch) && failed.has(epoch) && epoch < first)',
    caughtBy: tests('test/activities/guards.test.ts', 'an epoch is not published while one below it is open'),
  },
  {
    id: 'refusal-retried',
    mistake: 'a broken rule of the settlement is retried for ever like an outage',
    file: 'activities/failures.ts',
    find: 'type: error.name, nonRetryable: true, cause: error',
    replace: 'type: error.name, nonRetryable: false, cause: error',
    caughtBy: tests(
      'test/activities/publish.test.ts',
      'another content digest of a published revision is a conflict that no retry can mend',
    ),
  },
  {
    id: 'outage-final',
    mistake: 'a database that takes no writes for a while counts as a final refusal',
    file: 'src/store/errors.ts',
    find: '|55P03|25006|57014)$/',
    replace: '|55P03|57014)$/',
    caughtBy: tests('test/activities/publish.test.ts', 'F9: a database that is read-only for a while is waited for'),
  },
  {
    id: 'failed-and-published',
    mistake: 'an epoch that was closed meanwhile is published all the same',
    file: 'activities/publish.ts',
    find: "if (closed !== null) return { kind: 'closed', answer: closed };",
    replace: "if (closed?.kind === 'published') return { kind: 'closed', answer: closed };",
    caughtBy: tests('test/activities/publish.test.ts', 'an epoch that was closed as failed meanwhile is not published'),
  },
  {
    id: 'audit-log-unchained',
    mistake: 'every row of the audit log begins a chain of its own',
    file: 'src/store/migrations/0010_rights.sql',
    find: "linked := coalesce(last.hash, repeat('0', 64));",
    replace: "linked := repeat('0', 64);",
    caughtBy: [
      ...tests('test/store/chain.test.ts', 'the audit log is chained: every hash can be computed again from the rows'),
      ...tests('test/rights/forging.test.ts', 'a row that was taken out, and one with a hash of its own, are found'),
    ],
  },
  {
    id: 'behind-begun',
    mistake: 'an epoch is begun on a database that lacks a head of heads.log',
    file: 'activities/gather.ts',
    find: 'await deps.witness.compare(deps.pool);',
    replace: '',
    caughtBy: tests('test/witnesses/known-heads.test.ts', 'no epoch is begun'),
  },
  {
    id: 'behind-published',
    mistake: 'what was checked before the database was set back is published after it',
    file: 'activities/publish.ts',
    find: `    await deps.witness.compare(client);
    const result = await approvedResult(client, key, digest);`,
    replace: '    const result = await approvedResult(client, key, digest);',
    caughtBy: tests(
      'test/witnesses/known-heads.test.ts',
      'an epoch that was checked is not published; once the file was moved aside it is',
    ),
  },
  {
    id: 'behind-failed',
    mistake: 'an epoch is closed as failed for want of inputs that a database which was set back has lost',
    file: 'activities/close.ts',
    find: `    // What a database that was set back lacks is no reason to close an epoch: it may have been there.
    await deps.witness.compare(client);`,
    replace: '',
    caughtBy: tests('test/witnesses/known-heads.test.ts', 'no epoch is closed as failed'),
  },
  {
    id: 'known-for-ever',
    mistake: 'a head that was found once is never asked for again, whatever becomes of the database',
    file: 'src/worker/witnesses/known-heads.ts',
    find: '(await goesOnFrom(file, before)) && (await stand(db, before))',
    replace: 'await goesOnFrom(file, before)',
    caughtBy: tests('test/witnesses/known-heads.test.ts', 'also where it was found there before, in whichever network'),
  },
  {
    id: 'replaced-file-unseen',
    mistake: 'another file in the place of heads.log is read on where the old one was left',
    file: 'src/worker/witnesses/known-heads.ts',
    find: '(await goesOnFrom(file, before)) && (await stand(db, before))',
    replace: 'await stand(db, before)',
    caughtBy: tests('test/witnesses/known-heads.test.ts', 'until another file takes its place'),
  },
  {
    id: 'seen-for-ever',
    mistake: 'the heads of a chain that was set back and goes on are not witnessed up to where it was before',
    file: 'src/worker/witnesses/heads-log.ts',
    find: 'new KnownHeads(path, () => seen.clear())',
    replace: 'new KnownHeads(path, () => undefined)',
    caughtBy: tests(
      'test/witnesses/behind.test.ts',
      'F12, S6: a loss that was accepted: the file is moved aside, and the same worker settles and witnesses the chain as it is',
    ),
  },
];

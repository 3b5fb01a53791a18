import { type SeededBug, tests } from './seeded-bug';

/** Mistakes in what people decide: holds, disputes, policies, requests. */
export const DECISION_BUGS: readonly SeededBug[] = [
  {
    id: 'disputed-twice',
    mistake: 'a second operator opens the dispute that is open already',
    file: 'src/commands/open-dispute.ts',
    find: 'if (same !== null) throw sameIsOpen(same);',
    replace: '',
    caughtBy: [
      ...tests(
        'test/disputes/same-again.test.ts',
        'the same rows again are told who asks for them already, and nothing of the second is kept',
      ),
      ...tests(
        'test/workflows/ten-at-once.test.ts',
        'F24: ten operators dispute the same rows at once, and ten decide: one of each, nine are told who and since when',
      ),
    ],
  },
  {
    id: 'approval-unbound',
    mistake: 'an approval counts for whatever is held now, and not for the content that was looked at',
    file: 'src/commands/decide-hold.ts',
    find: 'if (contentDigest !== null && contentDigest !== hold.contentDigest) {',
    replace: 'if (contentDigest === null && hold.contentDigest === null) {',
    caughtBy: [
      ...tests(
        'test/disputes/history.test.ts',
        'F25: a dispute published below a held epoch ends its hold as superseded, and an approval of it is refused by name',
      ),
      ...tests(
        'test/workflows/holds.test.ts',
        'who asked cannot approve, a digest that is not held is refused, and both attempts are on record',
      ),
    ],
  },
  {
    id: 'held-and-published',
    mistake: 'publishing does not ask whether a tripped breaker was let through',
    file: 'activities/publish.ts',
    find: 'if (result.breakers.length === 0) return result;',
    replace: 'if (result.breakers.length >= 0) return result;',
    caughtBy: tests(
      'test/activities/publish.test.ts',
      'a held computation is refused until its very digest was approved',
    ),
  },
  {
    id: 'self-approval',
    mistake: 'who asked for a run may approve its hold',
    file: 'src/commands/decide-hold.ts',
    find: "if (outcome === 'approved' && hold.askedBy === actor) {",
    replace: "if (outcome === 'approved' && hold.askedBy === '') {",
    caughtBy: tests(
      'test/workflows/holds.test.ts',
      'who asked cannot approve, a digest that is not held is refused, and both attempts are on record',
    ),
  },
  {
    id: 'self-approval-in-the-database',
    mistake: 'the database lets somebody who reaches it directly approve a run of their own',
    file: 'src/store/migrations/0010_rights.sql',
    find: 'and h.asked_by = new.actor) then',
    replace: "and h.asked_by = new.actor and current_user <> 'settle_approver') then",
    caughtBy: tests(
      'test/rights/forging.test.ts',
      'who asked for the run does not approve it, whatever roles the login has',
    ),
  },
  {
    id: 'refusal-forgotten',
    mistake: 'a rejected hold whose run is gone leaves its epoch open, and it is computed anew',
    file: 'activities/gather.ts',
    find: "if (refused !== null) return { kind: 'refused', ...refused };",
    replace: "if (refused !== null && ref.epoch < 0) return { kind: 'refused', ...refused };",
    caughtBy: tests(
      'test/workflows/holds.test.ts',
      'F15: rejected, and the run that was to close the epoch is gone: the next one closes it, and computes nothing',
      'F15: a rejected epoch that is settled again, and rejected again without a run, fails once more',
    ),
  },
  {
    id: 'held-on-old-history',
    mistake: 'a computation whose history was republished meanwhile is put on hold',
    file: 'activities/check.ts',
    find: "if ((await guardChain(client, key, header, network)) === 'superseded') return null;",
    replace: 'await guardChain(client, key, header, network);',
    caughtBy: tests(
      'test/activities/holds.test.ts',
      'a dispute below was published while it was computed: it is computed again',
    ),
  },
  {
    id: 'published-epoch-failed',
    mistake: 'an epoch is closed as failed between its publication and its claims',
    file: 'src/commands/fail-epochs.ts',
    find: 'if (published === null) return;',
    replace: "if (published === null || published.kind === 'revision') return;",
    caughtBy: tests(
      'test/activities/holds.test.ts',
      'an epoch that is published and has no claims yet is not closed as failed: its money is due',
    ),
  },
  {
    id: 'sealed-unjudged',
    mistake: 'what came between the look at the inputs and the seal is sealed as it is',
    file: 'activities/seal.ts',
    find: "if (judged.kind === 'ready') return;",
    replace: "if (judged.kind === 'ready' || judged.missing.length > 0) return;",
    caughtBy: tests(
      'test/activities/gather.test.ts',
      'rows that came after the inputs were found complete are judged before the seal',
    ),
  },
  {
    id: 'hold-never-expires',
    mistake: 'a hold that nobody decided in time stays open',
    file: 'activities/close.ts',
    find: "if (!hold.overdue) return 'open';",
    replace: "if (!hold.overdue || hold.decision === null) return 'open';",
    caughtBy: tests('test/activities/holds.test.ts', 'a hold expires by its row, once, and stays expired'),
  },
  {
    id: 'expired-hold-approved',
    mistake: 'a hold is approved after its deadline',
    file: 'src/commands/decide-hold.ts',
    find: 'if (hold.overdue) throw',
    replace: 'if (hold.overdue && hold.decision !== null) throw',
    caughtBy: tests(
      'test/workflows/holds.test.ts',
      'a hold past its deadline cannot be approved any more, even where nobody has recorded that it expired',
    ),
  },
  {
    id: 'rejection-forgotten',
    mistake: 'the run of a held epoch goes on whatever was decided',
    file: 'workflows/settle-epoch.ts',
    find: "if (state === 'approved' || state === 'released') return null;",
    replace: "if (state !== 'superseded') return null;",
    caughtBy: tests(
      'test/workflows/holds.test.ts',
      'rejected: the epoch is failed by that name, and the epochs behind it are settled',
    ),
  },
  {
    id: 'superseded-hold-stays',
    mistake: 'a publication below a held epoch leaves its hold open for an approval',
    file: 'activities/publish.ts',
    find: 'await supersedeLaterHolds(client, key, network);',
    replace: '',
    caughtBy: tests(
      'test/disputes/history.test.ts',
      'F25: a dispute published below a held epoch ends its hold as superseded, and an approval of it is refused by name',
    ),
  },
  {
    id: 'dispute-approval-unbound',
    mistake: 'a dispute is published although its approval was for another content',
    file: 'activities/publish-dispute.ts',
    find: 'if (dispute.decidedDigest !== digest || !(await historyHolds(client, dispute, key, network))) {',
    replace: 'if (dispute.decidedDigest === null) {',
    caughtBy: tests(
      'test/disputes/history.test.ts',
      'a full derivation whose history changes after the approval is not published: it needs another one',
    ),
  },
  {
    id: 'stale-dispute-published',
    mistake: 'a dispute of a revision that is superseded by now makes another one all the same',
    file: 'activities/publish-dispute.ts',
    find: 'if (stored !== null || !(await isOnNewest(client, dispute))) {',
    replace: 'if (stored !== null && !(await isOnNewest(client, dispute)) && dispute.state === undefined) {',
    caughtBy: tests(
      'test/disputes/revisions.test.ts',
      'two disputes with the same rows are one revision, of the dispute that was approved',
    ),
  },
  {
    id: 'request-body-unchecked',
    mistake: 'a request id that was used for something else is told the first answer',
    file: 'src/store/requests.ts',
    find: 'and action = $3 and body = $4::jsonb`',
    replace: 'and action = $3 and $4::jsonb is not null`',
    caughtBy: [
      ...tests(
        'test/ledger/payments.test.ts',
        'F26: the same request id gives the first batch; with another body it is a conflict',
      ),
      ...tests(
        'test/disputes/opening.test.ts',
        'F26: the same request gives the first answer, and another body under its id is a conflict',
      ),
    ],
  },
  {
    id: 'policy-one-epoch-late',
    mistake: 'a policy settles from the epoch after the one that it names',
    file: 'src/store/policies.ts',
    find: 'from_epoch <= $2 order by approval desc',
    replace: 'from_epoch <= greatest($2 - 1, 0) order by approval desc',
    caughtBy: tests(
      'test/policies/policies.test.ts',
      'F41: a policy settles from its epoch on; what is settled keeps its own, and so does every later revision of it',
    ),
  },
  {
    id: 'policy-under-a-seal',
    mistake: 'a policy is approved for an epoch that is sealed already',
    file: 'src/commands/policies.ts',
    find: 'if (fixed === null || fromEpoch > fixed) return;',
    replace: 'if (fixed === null || fromEpoch >= fixed) return;',
    caughtBy: tests(
      'test/policies/policies.test.ts',
      'F41: an epoch that is sealed in the middle of a change keeps the policy of its seal',
    ),
  },
];

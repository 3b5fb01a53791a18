import { type DueEpoch, nextDueEpoch, SILENT_LIMIT } from '../src/store/due';
import type { DueQuestion } from './contracts';
import type { ActivityDependencies } from './dependencies';

/** The next thing to do for a network. The calendar and the rows decide, never the tick that asked. */
export function nextDue(deps: ActivityDependencies, question: DueQuestion): Promise<DueEpoch> {
  return nextDueEpoch(deps.pool, question.network, question.upTo, question.stopWhenSilent ? SILENT_LIMIT : null);
}

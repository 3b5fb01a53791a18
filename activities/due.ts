import { type DueEpoch, nextDueEpoch } from '../src/store/due';
import type { DueQuestion } from './contracts';
import type { ActivityDependencies } from './dependencies';

/** A silent source is an incident: after so many epochs closed in a row for lack of inputs, a person has to look. */
const SILENT_LIMIT = 24;

/** The next thing to do for a network. The calendar and the rows decide, never the tick that asked. */
export function nextDue(deps: ActivityDependencies, question: DueQuestion): Promise<DueEpoch> {
  return nextDueEpoch(deps.pool, question.network, question.upTo, question.stopWhenSilent ? SILENT_LIMIT : null);
}

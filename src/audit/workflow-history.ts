/** A workflow history in its JSON form, as the server exports it: what of it an audit reads. */

export interface ActivityCall {
  readonly eventId: string;
  readonly name: string;
  readonly input: readonly unknown[];
  /** `none`: it failed, was cancelled, or had not ended. */
  readonly result: { readonly value: unknown } | 'none';
}

export interface ReadHistory {
  readonly workflowType: string;
  readonly input: readonly unknown[];
  readonly calls: readonly ActivityCall[];
  /** `none`: it had not ended, or not with a result. */
  readonly result: { readonly value: unknown } | 'none';
}

interface Payloads {
  readonly payloads?: readonly { readonly data?: string }[];
}

interface HistoryEvent {
  readonly eventId: string;
  readonly workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; input?: Payloads };
  readonly activityTaskScheduledEventAttributes?: { activityType: { name: string }; input?: Payloads };
  readonly activityTaskCompletedEventAttributes?: { scheduledEventId: string; result?: Payloads };
  readonly workflowExecutionCompletedEventAttributes?: { result?: Payloads };
}

/** Decodes the payloads of a history. @throws Error for what is no history, or a payload that is no JSON */
export function readHistory(history: unknown): ReadHistory {
  const { events } = history as { events?: readonly HistoryEvent[] };
  const started = events?.[0]?.workflowExecutionStartedEventAttributes;
  if (events === undefined || started === undefined) throw new Error('the history does not begin with its start');
  const results = new Map<string, { readonly value: unknown }>();
  let result: ReadHistory['result'] = 'none';
  for (const event of events) {
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed !== undefined)
      results.set(String(completed.scheduledEventId), { value: valuesOf(completed.result)[0] });
    const ended = event.workflowExecutionCompletedEventAttributes;
    if (ended !== undefined) result = { value: valuesOf(ended.result)[0] };
  }
  const calls = events.flatMap(({ eventId, activityTaskScheduledEventAttributes: scheduled }): ActivityCall[] => {
    if (scheduled === undefined) return [];
    const name = scheduled.activityType.name;
    return [
      {
        eventId: String(eventId),
        name,
        input: valuesOf(scheduled.input),
        result: results.get(String(eventId)) ?? 'none',
      },
    ];
  });
  return { workflowType: started.workflowType.name, input: valuesOf(started.input), calls, result };
}

const utf8 = new TextDecoder();

function valuesOf(payloads: Payloads | undefined): unknown[] {
  return (payloads?.payloads ?? []).map(({ data }) => {
    const bytes = Uint8Array.from(atob(data ?? ''), (char) => char.charCodeAt(0));
    return bytes.length === 0 ? null : (JSON.parse(utf8.decode(bytes)) as unknown);
  });
}

const BUILD = 'swarm-settlement@';

/** What a worker calls itself: after the SHA-256 of the workflow bundle that it runs. */
export const buildIdOf = (bundleHash: string): string => `${BUILD}${bundleHash}`;

/** SHA-256 of the workflow bundle that the run's worker named last; null: it named none. */
export function bundleHashOf(json: string): string | null {
  const named = [...json.matchAll(/"buildId":\s*"swarm-settlement@([0-9a-f]{64})"/g)];
  return named.at(-1)?.[1] ?? null;
}

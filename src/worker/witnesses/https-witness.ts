import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { PublishedHead } from '../../store/witness-cursors';
import { type HeadWitness, headLine, idempotencyKey, WitnessError } from './telling';

export interface HttpsWitnessOptions {
  /** https, or http to this machine alone. */
  readonly url: URL;
  /** Sent as `Authorization: Bearer`; null: none. */
  readonly secret: string | null;
  /** PEM of an authority to trust beside the usual ones; null: none. */
  readonly authority: string | null;
  readonly timeoutMs: number;
}

/** What the database has room for. */
const NAME_CHARS = 250;

/**
 * A witness that is told by POST: a body of one JSON object and an `Idempotency-Key`. It has heard what it answers with
 * 2xx; nothing is followed elsewhere, since a redirect could carry the secret away.
 */
export function httpsWitness({ url, secret, authority, timeoutMs }: HttpsWitnessOptions): HeadWitness {
  // A year of heads is told over one connection.
  const kept = { keepAlive: true, maxSockets: 1 };
  const trusted = authority === null ? {} : { ca: [...rootCertificates, authority] };
  const agents = { 'https:': new TlsAgent({ ...kept, ...trusted }), 'http:': new PlainAgent(kept) };
  return {
    // A query can hold a token, so it is no part of the name.
    name: `${url.origin}${url.pathname}`.slice(0, NAME_CHARS),
    async tell(head, signal) {
      const answer = await posted(head, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      const { statusCode = 0, statusMessage = '' } = answer;
      passOver(answer);
      if (statusCode >= 200 && statusCode < 300) return;
      throw new WitnessError(refusal(statusCode, statusMessage));
    },
  };

  function posted(head: PublishedHead, signal: AbortSignal): Promise<IncomingMessage> {
    const body = headLine(head);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'idempotency-key': idempotencyKey(head),
      ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
    };
    const options = { method: 'POST', headers, signal };
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? tlsRequest(url, { ...options, agent: agents['https:'] })
          : plainRequest(url, { ...options, agent: agents['http:'] });
      request.on('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => {
        const late = error.name === 'AbortError' || error.name === 'TimeoutError';
        reject(
          new WitnessError(
            late ? `no answer within ${timeoutMs} ms` : `${error.message} (${error.code ?? error.name})`,
          ),
        );
      });
      request.end(body);
    });
  }
}

const LONGEST_ANSWER_BYTES = 65_536;

/** The status decides. A short body is read so that the connection can be used again, and nobody's stream fills memory. */
function passOver(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > LONGEST_ANSWER_BYTES) answer.destroy();
  });
  answer.on('error', () => undefined);
}

function refusal(status: number, message: string): string {
  const words = `it answered ${status} ${message}`.trim();
  if (status === 409)
    return `${words}: it has another head for this revision. Compare its heads with the chain: settle audit --witness`;
  if (status >= 300 && status < 400) return `${words}: redirects are not followed; name the final address`;
  return words;
}

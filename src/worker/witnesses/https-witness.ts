import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
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
  return {
    // A query can hold a token, so it is no part of the name.
    name: `${url.origin}${url.pathname}`.slice(0, NAME_CHARS),
    async tell(head, signal) {
      const answer = await posted(head, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      const { statusCode = 0, statusMessage = '' } = answer;
      // The status decides; a body would only fill memory.
      answer.destroy();
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
    const options = { method: 'POST', headers, signal, agent: false as const };
    return new Promise((resolve, reject) => {
      const request =
        url.protocol === 'https:'
          ? tlsRequest(url, { ...options, ...(authority === null ? {} : { ca: [...rootCertificates, authority] }) })
          : plainRequest(url, options);
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

function refusal(status: number, message: string): string {
  const words = `it answered ${status} ${message}`.trim();
  if (status === 409)
    return `${words}: it has another head for this revision. Compare its heads with the chain: settle audit --witness`;
  if (status >= 300 && status < 400) return `${words}: redirects are not followed; name the final address`;
  return words;
}

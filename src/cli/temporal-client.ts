import {
  Client,
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import { StackError } from '../stack/errors';
import type { TemporalAddress } from '../stack/stack';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** gRPC's status of a call that its caller gave up. */
const CANCELLED = 1;

/** Somebody waits at a terminal: a service that answers at all answers well within this time. */
const CONNECT_MS = 4_000;

export interface OpenClient {
  readonly client: Client;
  close(): Promise<void>;
}

/**
 * A client that can be closed while a call is under way: somebody pressed Ctrl-C, or the server is gone. The library
 * repeats failed calls from a timer, and a timer that meets a closed connection would end the process with an error
 * that nobody can catch; so calls that begin after the close end at once, as cancelled.
 */
export async function openClient(temporal: TemporalAddress): Promise<OpenClient> {
  let closed = false;
  const gate: Interceptor = (options, nextCall) =>
    (closed ? cancelledCall() : nextCall(options)) as ReturnType<Interceptor>;
  const interceptors = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), gate];
  const connection = await connect(temporal, interceptors);
  return {
    client: new Client({ connection, namespace: temporal.namespace }),
    close: () => {
      closed = true;
      return connection.close();
    },
  };
}

async function connect(temporal: TemporalAddress, interceptors: Interceptor[]): Promise<Connection> {
  try {
    return await Connection.connect({ connectTimeout: CONNECT_MS, ...temporal.connection, interceptors });
  } catch (cause) {
    throw new StackError('TemporalNotStarted', {
      what: `Temporal does not answer: ${(cause as Error).message}.`,
      where: temporal.address,
      todo: 'look whether it runs, and whether TEMPORAL_ADDRESS and its TLS settings name it; `settle doctor` tells more.',
      cause,
    });
  }
}

function cancelledCall(): ReturnType<Interceptor> {
  const call = {
    start(metadata: { clone(): unknown }, listener?: { onReceiveStatus?(status: unknown): void }) {
      const status = { code: CANCELLED, details: 'the connection was closed', metadata };
      setImmediate(() => listener?.onReceiveStatus?.(status));
    },
    sendMessage: () => undefined,
    sendMessageWithContext: () => undefined,
    startRead: () => undefined,
    halfClose: () => undefined,
    cancelWithStatus: () => undefined,
    getPeer: () => '',
    getAuthContext: () => null,
  };
  return call as unknown as ReturnType<Interceptor>;
}

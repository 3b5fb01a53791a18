import {
  Client,
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { TemporalAddress } from '../stack/stack';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** gRPC's status of a call that its caller gave up. */
const CANCELLED = 1;

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
  const connection = await Connection.connect({ ...temporal.connection, interceptors });
  return {
    client: new Client({ connection, namespace: temporal.namespace }),
    close: () => {
      closed = true;
      return connection.close();
    },
  };
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

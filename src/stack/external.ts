import type { ConnectionOptions } from '@temporalio/client';
import { NAMESPACE } from './temporal';

/** A Temporal service that somebody else runs. */
interface ExternalTemporal {
  readonly address: string;
  readonly namespace: string;
  /** For `Connection.connect` and `NativeConnection.connect`: address, TLS, API key, headers. */
  readonly connection: ConnectionOptions & { address: string };
  readonly how: string;
}

/** Each of these alone says: use the Temporal that I run. */
const SWITCHES = ['TEMPORAL_ADDRESS', 'TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'] as const;

/**
 * The Temporal service named by the environment, in Temporal's own variables and configuration file; null when none is.
 * A configuration file that merely lies in the user's home does not count: a first `npm start` must not settle its
 * sample on somebody's production service.
 */
export async function externalTemporal(env: NodeJS.ProcessEnv): Promise<ExternalTemporal | null> {
  const named = SWITCHES.find((name) => env[name]);
  if (named === undefined) return null;
  // Loaded only when it is needed: most starts use the embedded server.
  const { loadClientConnectConfig } = await import('@temporalio/envconfig');
  const variables = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  const { connectionOptions, namespace } = loadClientConnectConfig({
    overrideEnvVars: variables as Record<string, string>,
  });
  const address = connectionOptions.address ?? 'localhost:7233';
  return {
    address,
    namespace: namespace ?? NAMESPACE,
    connection: { ...(connectionOptions as ConnectionOptions), address },
    how: `yours, named by ${named}`,
  };
}

import { AsyncLocalStorage } from 'node:async_hooks';
import { Client, Connection } from '@temporalio/client';
import type { Pool } from 'pg';
import { confirmPayments, failPayment } from '../../src/commands/confirm-payments';
import type { WorkflowContext } from '../../src/commands/context';
import { decideHold } from '../../src/commands/decide-hold';
import { CommandError } from '../../src/commands/errors';
import { importBundle } from '../../src/commands/import-bundle';
import { createBatch, decideBatch } from '../../src/commands/payments';
import { decideOnDispute, openDispute } from '../../src/commands/run-dispute';
import { loopAnswer, startLoop } from '../../src/commands/run-epochs';
import { BundleError } from '../../src/inputs/refusals';
import type { Amount } from '../../src/numbers/units';
import { isDatabaseRefusal, StoreError } from '../../src/store/errors';
import type { Confirmation } from '../../src/store/payments';
import { openPool } from '../../src/store/pool';
import type { CorrectionFiles } from '../disputes/disputing';
import { withCorrections } from '../disputes/disputing';
import { bundleTexts, makeNetwork, type NetworkKnobs, withBundleFolder } from '../harness/networks';
import { Traps, tell, watchCalls, watchStatements } from './dying';

export interface OperatorOrders {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
}

/** What an operator can be told to do, and what each takes. */
export interface Commands {
  'make-network': { readonly network: string; readonly knobs: NetworkKnobs };
  'epoch-run': { readonly network: string };
  'hold-approve': { readonly network: string; readonly epoch: number };
  'dispute-open': {
    readonly network: string;
    readonly epoch: number;
    readonly files: CorrectionFiles;
    readonly derive: 'pinned' | 'full';
    readonly requestId: string;
  };
  'dispute-approve': { readonly network: string; readonly epoch: number; readonly dispute: number };
  'payment-create': { readonly network: string; readonly requestId: string };
  'payment-approve': { readonly network: string; readonly batch: number };
  'payment-confirm': {
    readonly network: string;
    readonly batch: number;
    readonly confirmations: readonly Confirmation[];
  };
  'payment-fail': { readonly network: string; readonly batch: number; readonly provider: string };
  'poison-import': { readonly network: string; readonly epochs: number };
}
export type CommandName = keyof Commands;

export interface Call {
  readonly call: number;
  readonly command: CommandName;
  readonly actor: string;
  readonly with: Commands[CommandName];
}

/** An error as the command said it. `rule`: a rule of the settlement refused; else something broke on the way. */
export interface Said {
  readonly id: string;
  readonly message: string;
  readonly rule: boolean;
}

export type Reply =
  | { readonly reply: number; readonly answer: unknown }
  | { readonly reply: number; readonly error: Said };

/** An operator at the command line: each call is one command, with the commands' own code. */
export async function runOperator({ databaseUrl, temporalAddress }: OperatorOrders): Promise<void> {
  const traps = new Traps();
  const doing = new AsyncLocalStorage<CommandName>();
  const act = () => doing.getStore() ?? null;
  const onIdleError = (error: Error) => process.stderr.write(`idle connection: ${error.message}\n`);
  const pool = openPool({ url: databaseUrl, role: 'settle_operator', applicationName: 'chaos operator', onIdleError });
  watchStatements(pool, act, traps.visit);
  const temporal = new Client({ connection: Connection.lazy({ address: temporalAddress }), namespace: 'default' });
  watchCalls(temporal, act, traps.visit);
  process.on('message', (message: Partial<Call>) => {
    if (message.call === undefined) return;
    const { call, command, actor, with: given } = message as Call;
    void doing.run(command, async () => {
      try {
        const run = COMMANDS[command] as (context: WorkflowContext, given: never) => Promise<unknown>;
        tell({ reply: call, answer: await run({ pool, actor, temporal }, given as never) } satisfies Reply);
      } catch (error) {
        tell({ reply: call, error: said(error) } satisfies Reply);
      }
    });
  });
  tell({ said: 'ready' });
}

function said(error: unknown): Said {
  if (!(error instanceof Error)) return { id: 'unknown', message: String(error), rule: false };
  const { id, code } = error as { id?: unknown; code?: unknown };
  // A run that ended without an answer is started again; what PostgreSQL itself refuses is nobody's to try again.
  const rule =
    (error instanceof StoreError || error instanceof CommandError || error instanceof BundleError) &&
    id !== 'RunStopped';
  const name = typeof id === 'string' ? id : typeof code === 'string' ? code : error.name;
  return { id: name, message: error.message, rule: rule || isDatabaseRefusal(error) };
}

const COMMANDS: { readonly [C in CommandName]: (context: WorkflowContext, given: Commands[C]) => Promise<unknown> } = {
  'make-network': (context, { network, knobs }) => makeNetwork(context, knobs, network),
  async 'epoch-run'(context, { network }) {
    return loopAnswer(await startLoop(context, { network, range: null, askedBy: context.actor }));
  },
  'hold-approve': (context, { network, epoch }) =>
    decideHold(context, { network, epoch, outcome: 'approved', reason: 'looked at it', contentDigest: null }),
  'dispute-open': (context, { network, epoch, files, derive, requestId }) =>
    withCorrections(files, (corrections) =>
      openDispute(context, {
        network,
        epoch,
        revision: null,
        reason: 'a recording error',
        corrections,
        late: false,
        derive,
        requestId,
      }),
    ),
  // By its key alone: what is asked for may be the whole dispute, whose request is that of its opening.
  'dispute-approve': (context, { network, epoch, dispute }) =>
    decideOnDispute(context, {
      ...{ network, epoch, dispute },
      ...{ outcome: 'approved', reason: 'looked at it', contentDigest: null },
    }),
  'payment-create': (context, { network, requestId }) =>
    createBatch(context, { network, minimum: 1n as Amount, requestId }),
  'payment-approve': (context, { network, batch }) =>
    decideBatch(context, {
      network,
      batch,
      outcome: 'approved',
      reason: 'compared with the statement',
      linesDigest: null,
      requestId: null,
    }),
  'payment-confirm': (context, report) => confirmPayments(context, { ...report, lateReason: null, requestId: null }),
  'payment-fail': (context, { network, batch, provider }) =>
    failPayment(context, { network, batch, provider, reason: 'the wallet refused', requestId: null }),
  'poison-import': poisonImport,
};

/** A bundle whose rows are good but for the very last, of providers that are never to be seen. */
function poisonImport(context: { readonly pool: Pool; readonly actor: string }, given: Commands['poison-import']) {
  const { network, epochs } = given;
  const texts = bundleTexts({ epochs, providers: 3 });
  const poisoned = {
    ...texts,
    providers: texts.providers.replace(/^p/gm, 'never:p').replace(/^never:provider/, 'provider'),
    capacity: texts.capacity.replaceAll(',p', ',never:p').replace(/^epoch,never:provider/, 'epoch,provider'),
    performance: `${texts.performance.replaceAll(',p', ',never:p').replace(/^epoch,never:provider/, 'epoch,provider')}0,never:p9,2,1,0,4\n`,
  };
  return withBundleFolder(poisoned, (folder) =>
    importBundle(context, folder, { network, dryRun: false, outsideCalendar: 'refuse' }),
  );
}

import type { Command } from 'commander';
import type { Io } from '../io';
import * as doctor from './doctor';
import * as epochList from './epoch-list';
import * as epochShow from './epoch-show';
import * as explain from './explain';
import * as exportFiles from './export';
import * as payoutList from './payout-list';
import * as policyCheck from './policy-check';
import * as priceShow from './price-show';
import * as statement from './statement';
import * as status from './status';

/** In the order of the help. */
const COMMANDS = [
  status,
  explain,
  statement,
  epochList,
  epochShow,
  priceShow,
  payoutList,
  exportFiles,
  policyCheck,
  doctor,
];

/** The commands that only read. */
export function register(program: Command, io: Io): void {
  for (const command of COMMANDS) {
    command.register(program, io);
  }
}

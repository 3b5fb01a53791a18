import type { Command } from 'commander';
import type { Io } from '../io';
import * as epochList from './epoch-list';
import * as epochShow from './epoch-show';
import * as explain from './explain';
import * as payoutList from './payout-list';
import * as policyCheck from './policy-check';
import * as priceShow from './price-show';
import * as status from './status';

/** The commands that only read. */
export function register(program: Command, io: Io): void {
  for (const command of [status, epochList, epochShow, priceShow, payoutList, explain, policyCheck]) {
    command.register(program, io);
  }
}

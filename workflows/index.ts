export { disputeEpoch } from './dispute-epoch';
export { settleDueEpochs } from './settle-due-epochs';
export { settleEpoch } from './settle-epoch';
export { wakeLoop } from './wake-loop';

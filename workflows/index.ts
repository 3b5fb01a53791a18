export { disputeEpoch } from './dispute-epoch';
export { settleDueEpochs } from './settle-due-epochs';
export { settleEpoch } from './settle-epoch';

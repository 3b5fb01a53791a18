import { ParentClosePolicy, proxyActivities, startChild, workflowInfo } from '@temporalio/workflow';

/** The yardstick: the same loop, the same children and as many activities as settling has, with nothing in them. */

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '60s' });

/** Like `settleDueEpochs`: one activity asks what is next, then a child does it, one after the other. */
export async function emptyLoop(epochs: number, activitiesEach: number): Promise<void> {
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    await nothing();
    const child = await startChild(emptyEpoch, {
      workflowId: `${workflowInfo().workflowId}/${epoch}`,
      args: [activitiesEach],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    await child.result();
  }
}

/** Like `settleEpoch`: some activities, one after the other. */
export async function emptyEpoch(activities: number): Promise<void> {
  for (let done = 0; done < activities; done += 1) await nothing();
}

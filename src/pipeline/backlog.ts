import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumingComponent } from '../component/component.js';

type Exporter = Pick<ConsumingComponent, 'readBacklog'>;

const pollMs = 20;
/** Longer than the pauses between attempts at a backend that is back. */
const stalledAfterMs = 60_000;

/** How full the fullest queue of some exporters is, from 0 to 1. */
export function readFullest(exporters: readonly Exporter[]): number {
  let fullest = 0;
  for (const exporter of exporters) fullest = Math.max(fullest, exporter.readBacklog?.() ?? 0);
  return fullest;
}

/** Waits until the queues of some exporters are empty, as after their shutdown, or nothing has left them for a minute. */
export async function waitForDelivery(
  exporters: readonly Exporter[],
  stalledMs = stalledAfterMs,
): Promise<void> {
  let [least, sinceMs] = [Infinity, 0];
  for (let left = readSum(exporters); left > 0; left = readSum(exporters)) {
    const nowMs = performance.now();
    if (left < least) [least, sinceMs] = [left, nowMs];
    else if (nowMs - sinceMs >= stalledMs) return;
    await sleep(pollMs);
  }
}

function readSum(exporters: readonly Exporter[]): number {
  return exporters.reduce((sum, exporter) => sum + (exporter.readBacklog?.() ?? 0), 0);
}

import { publisherOf } from '../model/publisher.js';
import type { Series } from '../model/series.js';
import type { Log } from './log.js';

/**
 * Warns of series that are left out because another receiver publishes them: once for each two receivers.
 * @param logFor the log to warn in, by the receiver whose series is left out
 * @returns notified of a series that is left out and of the receiver that publishes it
 */
export function reportConflicts(
  logFor: (receiverId: string) => Log,
): (series: Series, owner: string) => void {
  const reported = new Set<string>();
  return (series, owner) => {
    const receiver = publisherOf(series) ?? '';
    // What each of them published first, the other one leaves out.
    const pair = [receiver, owner].toSorted().join('\n');
    if (reported.has(pair)) return;
    reported.add(pair);
    logFor(receiver).warn(
      `Leaving out series of receiver "${receiver}" that receiver "${owner}" publishes, such as ${series.metric.name}: ` +
        'each series has one publisher; remove one of the two receivers, ' +
        'let them measure different things, or connect them to different exporters',
    );
  };
}

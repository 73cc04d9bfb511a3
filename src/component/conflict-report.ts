import { publisherOf } from '../model/publisher.js';
import type { Series } from '../model/series.js';
import type { Log } from './log.js';

/** Two receivers that publish the same series. */
export interface Conflict {
  /** The one whose series are left out. */
  readonly receiver: string;
  /** The one that publishes them. */
  readonly owner: string;
  /** A metric of which there are such series. */
  readonly metric: string;
}

/** The warning of a conflict, with its remedies. */
export function describeConflict({ receiver, owner, metric }: Conflict): string {
  return (
    `Leaving out series of receiver "${receiver}" that receiver "${owner}" publishes, such as ${metric}: ` +
    'each series has one publisher; remove one of the two receivers, ' +
    'let them measure different things, or connect them to different exporters'
  );
}

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
    logFor(receiver).warn(describeConflict({ receiver, owner, metric: series.metric.name }));
  };
}

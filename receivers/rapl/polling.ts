import type { Config } from './config.js';
import { findZones, leastPollingMs } from './find-powercap.js';

/** Hotplug is noticed within so long. */
const mostMs = 10_000;

/** How the counters are read when the settings ask for seldom readings. */
export interface Polling {
  /** Time between two readings, in nanoseconds: a whole fraction of the sampling interval. */
  readonly periodNs: number;
  /** Whether there are more readings than are asked for. */
  readonly isFiner: boolean;
}

/**
 * Chooses a period in which no counter can wrap more than half: the kernel does not count the wraps of powercap zones,
 * so that whoever looks too seldom loses them.
 */
export function choosePolling(config: Config): Polling {
  const wantedMs = config.sampling_interval;
  const times = Math.ceil(wantedMs / findMostMs(config));
  return { periodNs: Math.round((wantedMs * 1e6) / times), isFiner: times > 1 };
}

function findMostMs({ interface: name, sysfs, sampling_interval: wantedMs }: Config): number {
  if (name === 'perf_event' || wantedMs <= leastPollingMs) return mostMs;
  const halves = findZones(sysfs).map(
    ({ maxMicrojoules, mostWatts }) => maxMicrojoules / 1e3 / mostWatts / 2,
  );
  return Math.max(leastPollingMs, Math.min(mostMs, ...halves));
}

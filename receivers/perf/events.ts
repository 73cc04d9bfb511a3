import { parseEvents } from '../../src/linux/perf/grammar.js';
import { resolveEvents, type ResolvedEvents } from '../../src/linux/perf/resolve.js';
import type { Config } from './config.js';
import type { Plan, Target } from './target.js';

/**
 * What this machine knows of the events of the settings.
 * @throws EventSyntaxError
 */
export function findEvents({ events, rename, sysfs }: Config): ResolvedEvents {
  return resolveEvents(parseEvents(events.join(',')), { sysfs, rename });
}

/** What a sampler is to do for a target. */
export function createPlan(config: Config, { groups }: ResolvedEvents, target: Target): Plan {
  const { derived, derived_window: windowMs, sampling_interval: intervalMs, sysfs, procfs } = config;
  return {
    target,
    groups,
    perCpu: config.per_cpu,
    perPmu: config.per_pmu,
    hasRatio: config.running_ratio,
    derivedReadings: derived ? Math.max(1, Math.ceil(windowMs / intervalMs - 1e-9)) : 0,
    sysfs,
    procfs,
  };
}

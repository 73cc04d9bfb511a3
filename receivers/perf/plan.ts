import type { EventGroup } from '../../src/linux/perf/counted-event.js';
import { parseEvents } from '../../src/linux/perf/grammar.js';
import { resolveEvents, type ResolvedEvents } from '../../src/linux/perf/resolve.js';
import type { Resource } from '../../src/model/series.js';
import type { Config } from './config.js';

/** What is counted. Plain data. */
export type Target =
  | { readonly kind: 'machine' }
  | { readonly kind: 'process'; readonly pid: number }
  /** `folder` in the cgroup file system. */
  | { readonly kind: 'cgroup'; readonly folder: string };

/** The plan of a sampler. Plain data. */
export interface Plan {
  readonly target: Target;
  readonly groups: readonly EventGroup[];
  readonly perCpu: boolean;
  readonly perPmu: boolean;
  readonly hasRatio: boolean;
  /** Number of readings per window of derived metrics; 0: none. */
  readonly derivedReadings: number;
  readonly sysfs: string;
  readonly procfs: string;
}

/** One of several targets. Plain data. */
export interface PlannedTarget {
  /** Unique, also over time. */
  readonly key: string;
  /** For messages. */
  readonly name: string;
  readonly target: Target;
}

/** A target that comes and goes. */
export interface FoundTarget extends PlannedTarget {
  readonly resource: Resource;
}

/** The plan of a sampler of several targets. Plain data. */
export interface TargetsPlan {
  readonly common: Omit<Plan, 'target'>;
  readonly targets: readonly PlannedTarget[];
  /** Maximum number of perf events for cgroups. */
  readonly maxCgroupEvents: number;
}

/**
 * Resolves the events in the settings on this machine.
 * @throws EventSyntaxError
 */
export function findEvents({ events, rename, sysfs }: Config): ResolvedEvents {
  return resolveEvents(parseEvents(events.join(',')), { sysfs, rename });
}

/** The plan for a target. */
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

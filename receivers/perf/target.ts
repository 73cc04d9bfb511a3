import type { EventGroup } from '../../src/linux/perf/counted-event.js';

/** What is counted. Plain data. */
export type Target =
  | { readonly kind: 'machine' }
  | { readonly kind: 'process'; readonly pid: number }
  /** `folder` in the file system of cgroups. */
  | { readonly kind: 'cgroup'; readonly folder: string };

/** What a sampler does. Plain data. */
export interface Plan {
  readonly target: Target;
  readonly groups: readonly EventGroup[];
  readonly perCpu: boolean;
  readonly perPmu: boolean;
  readonly hasRatio: boolean;
  /** Readings that make up the window of derived metrics; 0: there are none. */
  readonly derivedReadings: number;
  readonly sysfs: string;
  readonly procfs: string;
}

import type { Component, ReceiverContext } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Resource, Series } from '../../src/model/series.js';
import { watchGaps } from '../../src/sampling/gaps.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import type { Config } from './config.js';
import { hasCgroups, TargetFinder } from './find-targets.js';
import { createSeries, describeGap } from './metrics.js';
import type { FoundTarget, PlannedTarget, TargetsPlan } from './plan.js';
import { TargetWatch } from './target-watch.js';
import type { TargetColumns } from './targets-sampler.js';

/** Options for counting targets. */
export interface TargetsOptions {
  readonly config: Config;
  readonly context: ReceiverContext;
  readonly next: Consumer;
  readonly common: TargetsPlan['common'];
  /** Receives notes for the user. */
  note(note: string): void;
}

/** Counts the configured processes and cgroups, while they exist. */
export function createTargets({ config, context, next, common, note }: TargetsOptions): Component {
  let finder: TargetFinder | undefined;
  let error: string | undefined;
  const resources = new Map<string, Resource>();
  const createPlan = (targets: readonly PlannedTarget[]): TargetsPlan => ({
    common,
    targets: targets.map(({ key, name, target }) => ({ key, name, target })),
    maxCgroupEvents: config.max_cgroup_events,
  });
  const counted = createSamplingReceiver({
    context,
    next: watchGaps(context, next, { describe: (series) => describeGap(series, error) }),
    module: new URL('./targets-sampler.js', import.meta.url),
    options: createPlan([]),
    intervalMs: config.sampling_interval,
    flushMs: config.flush_interval,
    // Opening the events of a cgroup on every CPU takes milliseconds, which must not delay other samplers.
    ownThread: hasCgroups(config),
    createSeries(columns: TargetColumns, start) {
      columns.notes.forEach(note);
      error = columns.error;
      return createTargetSeries(columns, resources, start);
    },
  });
  const watch = new TargetWatch({
    intervalMs: config.scan_interval,
    context,
    find: async () => (await finder?.find()) ?? [],
    async count(targets: readonly FoundTarget[]) {
      for (const { key, resource } of targets) resources.set(key, resource);
      await counted.update(createPlan(targets));
      const keys = new Set(targets.map(({ key }) => key));
      for (const key of resources.keys()) if (!keys.has(key)) resources.delete(key);
    },
  });
  return {
    async start() {
      await counted.start();
      finder = new TargetFinder(config, context);
      await watch.start();
    },
    async flush() {
      await counted.flush?.();
    },
    async shutdown() {
      await watch.stop();
      await counted.shutdown();
      finder?.close();
      finder = undefined;
    },
  };
}

function createTargetSeries(
  { layouts, targets }: TargetColumns,
  resources: ReadonlyMap<string, Resource>,
  start: bigint,
): readonly Series[] {
  return targets.flatMap(({ key, layout }) => {
    const [columns, resource] = [layouts[layout], resources.get(key)];
    // A sampler uses only these names.
    return columns && resource ? createSeries({ columns, notes: [] }, resource, start) : [];
  });
}

import type { ExpectedSeries, ReceiverFactory } from '../../src/component/component.js';
import type { Metric } from '../../src/model/series.js';
import { cpuTime } from '../../src/model/usage-metrics.js';
import {
  createSourceReceiver,
  probeSources,
  type NamedSource,
} from '../../src/scraping/scraping-receiver.js';
import type { DescribeSource } from '../../src/scraping/source.js';
import { schema, type Config } from './config.js';
import { cpuMetrics, describeCpu } from './cpu-group.js';
import { describeDisk, diskMetrics } from './disk-group.js';
import { describeFrequency, frequencyMetrics } from './frequency-group.js';
import { describeLoad, loadMetrics } from './load-group.js';
import { describeMemory, memoryKind, memoryMetrics } from './memory-group.js';
import { describeNetwork, networkMetrics } from './network-group.js';
import { describePressure, pressureMetrics } from './pressure-group.js';

type GroupName = keyof Config['groups'];

/** One part of the kernel's data about the machine. */
interface Group {
  readonly metrics: readonly Metric[];
  readonly describe: (config: Config) => DescribeSource;
}

const groups = {
  cpu: { metrics: cpuMetrics, describe: describeCpu },
  memory: { metrics: memoryMetrics, describe: describeMemory },
  network: { metrics: networkMetrics, describe: describeNetwork },
  disk: { metrics: diskMetrics, describe: describeDisk },
  load: { metrics: loadMetrics, describe: describeLoad },
  pressure: { metrics: pressureMetrics, describe: describePressure },
  frequency: { metrics: frequencyMetrics, describe: describeFrequency },
} as const satisfies Record<GroupName, Group>;

/** Every metric of every group. */
export const metrics: readonly Metric[] = Object.values(groups).flatMap((group) => group.metrics);

/** The configured groups, whether or not this machine has their sources. */
export function listSources(config: Config): readonly NamedSource[] {
  return listEnabled(config).map((name) => ({
    name,
    remedy:
      name === 'pressure'
        ? 'boot with the kernel parameter psi=1, or set groups.pressure: false'
        : `set groups.${name}: false`,
    describe: groups[name].describe(config),
  }));
}

/** What the enabled groups publish: for devices, by their filters. */
export function listExpectedSeries(config: Config): readonly ExpectedSeries[] {
  return listEnabled(config).flatMap((name) =>
    listMetrics(name, config).map((metric) => ({
      metric: metric.name,
      scope: scopeOf(name, metric, config),
    })),
  );
}

function listMetrics(name: GroupName, { memory }: Config): readonly Metric[] {
  const { metrics: all } = groups[name];
  return name === 'memory' && !memory.kinds ? all.filter((metric) => metric !== memoryKind) : all;
}

function scopeOf(name: GroupName, metric: Metric, config: Config): string {
  if (metric === cpuTime) return JSON.stringify(config.cpu);
  return name === 'network' || name === 'disk' ? JSON.stringify(config[name]) : '';
}

function listEnabled(config: Config): readonly GroupName[] {
  const names = Object.keys(groups) as GroupName[]; // The keys of the object above.
  return names.filter((name) => config.groups[name]);
}

/** Reads the kernel's data about the machine: CPU time, memory, disks, network, load, pressure, frequency. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  expectedSeries: listExpectedSeries,
  probe: (config, context) => probeSources(listSources(config), context),
  create: (config, context, next) =>
    createSourceReceiver({
      intervalMs: config.collection_interval,
      sources: listSources(config),
      context,
      next,
    }),
};

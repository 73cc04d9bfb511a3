import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeProbe } from '../../src/component/probe.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { findHierarchies, type Hierarchy } from '../../src/linux/cgroup/hierarchies.js';
import { CpuPackages } from '../../src/linux/cpu-packages.js';
import { cgroupPackageTime } from '../../src/model/usage-metrics.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { CgroupScraper } from './cgroup-scraper.js';
import { schema, type Config } from './config.js';
import { metricsByGroup } from './metrics.js';
import { probe } from './probe.js';
import { UnifiedUsage } from './unified-usage.js';

const groups = Object.keys(metricsByGroup) as (keyof Config['metrics'])[];

/** The cgroup receiver: CPU time and resources of every cgroup. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: Object.values(metricsByGroup).flat(),
  expectedSeries: ({ metrics, include, exclude, max_depth: maxDepth }) =>
    groups
      .filter((group) => metrics[group])
      .flatMap((group) => metricsByGroup[group])
      .map(({ name }) => ({ metric: name, scope: JSON.stringify([include, exclude, maxDepth]) })),
  check: ({ metrics }) =>
    Object.values(metrics).some(Boolean) ? [] : ['metrics: expected at least one that is on, found none'],
  probe,
  create,
};

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    phase: 'completion',
    open: () => openScraper(config, context),
  });
}

async function openScraper(config: Config, context: ReceiverContext): Promise<CgroupScraper> {
  const found = probe(config);
  if (!found.available) throw new UnavailableError(describeProbe(found));
  const hierarchies = findHierarchies(config).filter((hierarchy) => isUsed(hierarchy, config));
  const usage = await openUsage(config, hierarchies, context);
  return new CgroupScraper(config, {
    ...context,
    hierarchies,
    packages: findPackages(config, context),
    usage,
  });
}

/** Undefined: files are read. */
async function openUsage(
  { cpu_time: wanted, metrics }: Config,
  hierarchies: readonly Hierarchy[],
  { log }: ReceiverContext,
): Promise<UnifiedUsage | undefined> {
  const unified = hierarchies.find(({ version }) => version === 2);
  if (wanted === 'files' || !metrics.cpu) return undefined;
  try {
    if (unified === undefined) throw new Error('expected a hierarchy of version 2, found none');
    return await UnifiedUsage.open(unified);
  } catch (error) {
    const reason = describeError(error);
    if (wanted === 'ebpf')
      throw new UnavailableError(`Cannot use cpu_time ebpf: ${reason}`, { cause: error });
    log.debug(`CPU time of cgroups is read from their files: ${reason}`);
    return undefined;
  }
}

/** Only version 1 reports the CPU time of each CPU. */
function findPackages({ sysfs }: Config, { isConsumed }: ReceiverContext): CpuPackages | undefined {
  return isConsumed?.(cgroupPackageTime) === true ? CpuPackages.find(sysfs) : undefined;
}

const controllersByGroup: ReadonlyMap<string, readonly string[]> = new Map([
  ['cpu', ['cpu', 'cpuacct']],
  ['memory', ['memory']],
  ['memory_details', ['memory']],
  ['io', ['blkio']],
  ['pids', ['pids']],
]);

/** Whether a setting requires the hierarchy; a version 1 hierarchy is only required for its controllers. */
function isUsed({ version, controllers }: Hierarchy, { metrics }: Config): boolean {
  const wanted = groups
    .filter((group) => metrics[group])
    .flatMap((group) => controllersByGroup.get(group) ?? []);
  return version === 2 || wanted.some((name) => controllers.includes(name));
}

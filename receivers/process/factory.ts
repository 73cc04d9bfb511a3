import { readFileSync } from 'node:fs';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { readBootTimeNs, readTickNs } from '../../src/linux/clocks.js';
import { CpuPackages } from '../../src/linux/cpu-packages.js';
import { hasKernelOption } from '../../src/linux/kernel-config.js';
import { tickNs as procfsTickNs } from '../../src/linux/procfs.js';
import type { Metric } from '../../src/model/series.js';
import {
  busyTime,
  cpuTick,
  interruptTime,
  packageBusyTime,
  processCount,
  processCpuTime,
  processMemoryUsage,
  processMemoryVirtual,
  processPackageTime,
} from '../../src/model/usage-metrics.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { chooseCpuTimeSource, type ChosenSource } from './choose-cpu-time-source.js';
import {
  processDiskIo,
  processMemoryProportional,
  processMemoryShared,
  processPagingFaults,
  processThreadCount,
} from './columns.js';
import { schema, type Config } from './config.js';
import type { CpuTimeSource } from './cpu-time-source.js';
import { explainBpf, probeByTrying } from './probe.js';
import { ProcessScraper } from './process-scraper.js';
import { describeHidden, findHiddenProcesses, hasVirtualStat } from './procfs-mount.js';

const metricsBySetting = {
  cpu: [processCpuTime, busyTime, cpuTick],
  count: [processCount],
  memory: [processMemoryUsage, processMemoryVirtual],
  memory_maps: [processMemoryShared, processMemoryProportional],
  threads: [processThreadCount],
  faults: [processPagingFaults],
  io: [processDiskIo],
} as const satisfies Record<keyof Config['metrics'], readonly Metric[]>;

const settings = Object.keys(metricsBySetting) as (keyof Config['metrics'])[];

/** The process receiver: CPU time and resources of every process. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [...Object.values(metricsBySetting).flat(), interruptTime, packageBusyTime, processPackageTime],
  expectedSeries: ({ metrics }) =>
    settings
      .filter((setting) => metrics[setting])
      .flatMap((setting) => metricsBySetting[setting].map(({ name }) => ({ metric: name, scope: '' }))),
  check: ({ metrics }) =>
    Object.values(metrics).some(Boolean) ? [] : ['metrics: expected at least one that is on, found none'],
  probe: probeByTrying,
  create,
};

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  const open = () => openScraper(config, context);
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    phase: 'usage',
    open,
  });
}

async function openScraper(wanted: Config, context: ReceiverContext): Promise<ProcessScraper> {
  const config = claimUsage(wanted, context);
  const packages = findPackages(config, context);
  const { source: cpuTime, obstacle } = await choose(config, packages);
  try {
    return createScraper(config, context, { cpuTime, obstacle, packages });
  } catch (error) {
    // Its programs would run in the kernel for as long as the agent.
    cpuTime?.close();
    throw error;
  }
}

/** What a scraper reads CPU time from. */
interface CpuTimes {
  readonly cpuTime: CpuTimeSource | undefined;
  readonly obstacle: string | undefined;
  readonly packages: CpuPackages | undefined;
}

/** @throws Error if the procfs has no readable `stat` */
function createScraper(
  config: Config,
  { clock, log, host, id, meter }: ReceiverContext,
  { cpuTime, obstacle, packages }: CpuTimes,
): ProcessScraper {
  const { procfs } = config;
  if (cpuTime === undefined) {
    log.warn(`${procfs} belongs to another pid namespace: CPU time has a resolution of 10 ms`);
  } else if (obstacle !== undefined) {
    log.warn(`Cannot see processes that start and end between two scans: ${addRemedy(obstacle, config)}`);
  }
  if (hasVirtualStat(procfs, readFileSync('/proc/self/mountinfo', 'utf8'))) {
    log.warn(`${procfs}/stat is virtual (lxcfs): busy time is that of a container`);
  }
  for (const hidden of findHiddenProcesses(procfs)) log.warn(describeHidden(hidden));
  // CPU times in procfs are truncated to ticks.
  const tickNs = cpuTime?.lagNs ?? Math.max(procfsTickNs, readTickNs());
  const readBootNs = () => clock.bootNs?.() ?? readBootTimeNs();
  return new ProcessScraper(config, {
    clock,
    log,
    host,
    id,
    meter,
    cpuTime,
    tickNs,
    packages,
    hasInterrupts: hasKernelOption('CONFIG_IRQ_TIME_ACCOUNTING', procfs) === true,
    readBootNs,
  });
}

/** The packages by which CPU time is divided; undefined: it is not divided. */
function findPackages(
  { usage_per_socket: wanted, metrics, sysfs }: Config,
  { isConsumed }: ReceiverContext,
): CpuPackages | undefined {
  const isWanted = wanted === 'always' || (wanted === 'auto' && isConsumed?.(processPackageTime) === true);
  return isWanted && metrics.cpu ? CpuPackages.find(sysfs) : undefined;
}

async function choose(config: Config, packages: CpuPackages | undefined): Promise<ChosenSource> {
  try {
    return await chooseCpuTimeSource(config, packages);
  } catch (error) {
    const problem = addRemedy(describeError(error), config);
    throw new UnavailableError(`Cannot use cpu_time ebpf: ${problem}`, { cause: error });
  }
}

/** Adds the command, or the setting, that makes eBPF usable, if it is known. */
function addRemedy(problem: string, config: Config): string {
  return [
    problem,
    ...explainBpf(config)
      .slice(0, 1)
      .map(({ command }) => command),
  ].join('; ');
}

/**
 * Not required without CPU time. With CPU time, two receivers would corrupt each other's windows, because each
 * scan closes one.
 */
function claimUsage(config: Config, { claims, log }: ReceiverContext): Config {
  const { metrics } = config;
  const owner = metrics.cpu ? claims.claim('usage') : undefined;
  if (owner === undefined) return config;
  const reason = `CPU time is published by receiver "${owner}", which started first`;
  const others = { ...metrics, cpu: false };
  if (!Object.values(others).some(Boolean)) throw new UnavailableError(reason);
  log.warn(`Leaving out CPU time and busy time: ${reason}`);
  return { ...config, metrics: others };
}

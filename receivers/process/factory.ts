import { readFileSync } from 'node:fs';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { readBootTimeNs } from '../../src/linux/cpu-clock.js';
import { busyTime, processCpuTime } from '../../src/model/shared-metrics.js';
import { type ScrapeLoop, startScraping } from '../../src/sampling/scrape-loop.js';
import { type Config, schema } from './config.js';
import { findCpuTimeSource } from './cpu-time-source.js';
import {
  processDiskIo,
  processMemoryUsage,
  processMemoryVirtual,
  processPagingFaults,
  processThreadCount,
} from './metrics.js';
import { probe } from './probe.js';
import { ProcessScraper } from './process-scraper.js';
import { hasVirtualStat } from './procfs-mount.js';

/** The process receiver: CPU time and resources of every process. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [
    processCpuTime,
    busyTime,
    processMemoryUsage,
    processMemoryVirtual,
    processThreadCount,
    processPagingFaults,
    processDiskIo,
  ],
  check: ({ metrics }) =>
    Object.values(metrics).some(Boolean) ? [] : ['metrics: all are off, at least one is wanted'],
  probe,
  create: (config, context, next) => new ProcessReceiver(config, context, next),
};

class ProcessReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #scraper: ProcessScraper | undefined;
  #loop: ScrapeLoop | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  start(): void {
    const { clock, log, host } = this.#context;
    const { procfs, collection_interval: intervalMs } = this.#config;
    const cpuTime = findCpuTimeSource(procfs);
    if (cpuTime === undefined)
      log.warn(`${procfs} is of another pid namespace: CPU time comes in 10 ms ticks`);
    if (hasVirtualStat(procfs, readFileSync('/proc/self/mountinfo', 'utf8')))
      log.warn(`${procfs}/stat is virtual (lxcfs): busy time is that of a container`);
    const scraper = new ProcessScraper(this.#config, {
      clock,
      log,
      host,
      cpuTime,
      readBootNs: readBootTimeNs,
    });
    this.#scraper = scraper;
    this.#loop = startScraping({ scraper, intervalMs, context: this.#context, next: this.#next });
  }

  async shutdown(): Promise<void> {
    await this.#loop?.stop();
    this.#loop = undefined;
    this.#scraper?.close();
    this.#scraper = undefined;
  }
}

import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { UnavailableError } from '../../src/errors.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { floorPower, hwEnergy } from '../../src/model/shared-metrics.js';
import {
  busyTime,
  packageBusyTime,
  processCpuTime,
  processPackageTime,
} from '../../src/model/usage-metrics.js';
import { watchGaps } from '../../src/sampling/gaps.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { createDomains } from '../../src/simulation/machine-spec.js';
import { schema, type Config } from './config.js';
import { createEnergySeries, trueEnergy } from './metrics.js';
import type { Columns, SamplerOptions } from './sampler.js';
import { checkSpec, specOf } from './spec.js';
import { UsageScraper } from './usage-scraper.js';

/** A simulated machine with known true energy. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [
    hwEnergy,
    raplEnergy,
    floorPower,
    processCpuTime,
    busyTime,
    packageBusyTime,
    processPackageTime,
    trueEnergy,
  ],
  check: checkSpec,
  probe,
  create: (config, context, next) => new SimulatorReceiver(config, context, next),
};

function probe(config: Config): Probe {
  const names = createDomains(specOf(config)).map(({ name }) => name);
  const found = `a simulated machine: ${names.join(', ')}; starts only if no other receiver measures`;
  return { available: true, found, remedies: [] };
}

class SimulatorReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  readonly #usage: Component;
  #startNs = 0n;
  #energy: Component | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
    const open = () => new UsageScraper(config, context, this.#startNs);
    this.#usage = createScrapingReceiver({ intervalMs: config.collection_interval, context, next, open });
  }

  async start(): Promise<void> {
    const { log, host, clock } = this.#context;
    this.#claim();
    this.#startNs = clock.monotonicNs();
    this.#energy = createSamplingReceiver({
      context: this.#context,
      next: watchGaps(this.#context, this.#next),
      module: new URL('./sampler.js', import.meta.url),
      options: this.#samplerOptions(),
      intervalMs: this.#config.sampling_interval,
      flushMs: this.#config.flush_interval,
      createSeries: (columns: Columns, start) => createEnergySeries(columns, host, start),
    });
    await this.#energy.start();
    log.info(`Simulating a machine with seed ${this.#config.seed}: its readings are not measured`);
    await this.#usage.start();
  }

  /** Usage first, so that it is followed by the measurement of its energy. */
  async flush(): Promise<void> {
    await this.#usage.flush?.();
    await this.#energy?.flush?.();
  }

  /** Energy first, so that the last scan covers what the last reading measured. */
  async shutdown(): Promise<void> {
    await this.#energy?.shutdown();
    await this.#usage.shutdown();
  }

  /** A simulated machine must not be added to a real one. */
  #claim(): void {
    const { claims } = this.#context;
    const owners = new Set(['energy', 'usage'].flatMap((key) => claims.claim(key) ?? []));
    if (owners.size === 0) return;
    const names = [...owners].map((owner) => `"${owner}"`).join(' and ');
    throw new UnavailableError(
      `expected no other machine in the pipelines, found receiver ${names}; remove one of them from all pipelines`,
    );
  }

  #samplerOptions(): SamplerOptions {
    const second = 1_000_000_000n;
    const start = { seconds: Number(this.#startNs / second), nanoseconds: Number(this.#startNs % second) };
    return { spec: specOf(this.#config), start };
  }
}

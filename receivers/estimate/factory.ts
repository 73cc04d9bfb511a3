import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import { describeError, UnavailableError } from '../../src/component/errors.js';
import type { Probe } from '../../src/component/probe.js';
import { floorPower, hwEnergy } from '../../src/model/shared-metrics.js';
import { startScraping, type ScrapeLoop } from '../../src/sampling/scrape-loop.js';
import { schema, type Config } from './config.js';
import { EstimateScraper } from './estimate-scraper.js';
import { checkPowers } from './power-model.js';

/** Energy of a machine without any meter, by a model of its CPU use. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hwEnergy, floorPower],
  check: checkPowers,
  probe,
  create: (config, context, next) => new EstimateReceiver(config, context, next),
};

function probe(config: Config, context: ReceiverContext): Probe {
  const scraper = new EstimateScraper(config, context);
  try {
    return { available: true, found: describeModel(scraper), remedies: [] };
  } catch (error) {
    const missing = `CPU time of the machine: ${describeError(error)}`;
    const command = 'mount procfs and set procfs to where it is mounted';
    return { available: false, found: describeError(error), remedies: [{ missing, command }] };
  } finally {
    scraper.close();
  }
}

function describeModel(scraper: EstimateScraper): string {
  const { model, cpus } = scraper.readModel();
  const range = `${round(model.idleWatts)} W idle to ${round(model.maxWatts)} W at full use of ${cpus} CPUs`;
  return `power by CPU use: ${range} (${model.source})`;
}

function round(watts: number): number {
  return Number(watts.toFixed(2));
}

class EstimateReceiver implements Component {
  readonly #config: Config;
  readonly #context: ReceiverContext;
  readonly #next: Consumer;
  #scraper: EstimateScraper | undefined;
  #loop: ScrapeLoop | undefined;

  constructor(config: Config, context: ReceiverContext, next: Consumer) {
    this.#config = config;
    this.#context = context;
    this.#next = next;
  }

  start(): void {
    const scraper = new EstimateScraper(this.#config, this.#context);
    this.#scraper = scraper;
    try {
      this.#context.log.info(`Estimates ${describeModel(scraper)}`);
    } catch (error) {
      throw new UnavailableError(describeError(error), { cause: error });
    }
    const intervalMs = this.#config.collection_interval;
    this.#loop = startScraping({ scraper, intervalMs, context: this.#context, next: this.#next });
  }

  async flush(): Promise<void> {
    await this.#loop?.flush();
  }

  async shutdown(): Promise<void> {
    await this.#loop?.stop();
    this.#scraper?.close();
  }
}

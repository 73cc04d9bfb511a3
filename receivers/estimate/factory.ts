import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { checkPowers } from '../../src/energy/power-models.js';
import { describeError, UnavailableError } from '../../src/errors.js';
import { floorPower, hostEnergy } from '../../src/model/shared-metrics.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { schema, type Config } from './config.js';
import { EstimateScraper } from './estimate-scraper.js';

/** Energy of a machine without any meter, from a model of its CPU use. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [hostEnergy, floorPower],
  expectedSeries: () => [{ metric: hostEnergy.name, scope: '' }],
  yields: 'model',
  check: (config) => checkPowers(config),
  probe,
  create,
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

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  const open = () => openScraper(config, context);
  return createScrapingReceiver({ intervalMs: config.collection_interval, context, next, open });
}

function openScraper(config: Config, context: ReceiverContext): EstimateScraper {
  for (const [key, what] of [
    ['energy/cpu', 'the CPUs'],
    ['energy/host', 'the host'],
  ] as const) {
    const owner = context.claims.claim(key);
    if (owner !== undefined) throw new UnavailableError(describeOwner(what, owner));
  }
  const scraper = new EstimateScraper(config, context);
  try {
    context.log.info(`Estimating ${describeModel(scraper)}`);
    return scraper;
  } catch (error) {
    scraper.close();
    throw new UnavailableError(describeError(error), { cause: error });
  }
}

function describeOwner(what: string, owner: string): string {
  return `the energy of ${what} is published by receiver "${owner}"; to run this one only in its place, set "fallback_for: [${owner}]"`;
}

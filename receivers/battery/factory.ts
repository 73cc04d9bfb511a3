import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { createScrapingReceiver } from '../../src/scraping/scraping-receiver.js';
import { BatteryScraper, findSupplies, listSupplies } from './battery-scraper.js';
import { schema, type Config } from './config.js';
import { metrics } from './metrics.js';
import { isBattery, isOfMachine } from './supply.js';

/** The battery receiver: batteries and adapters of laptops, and uninterruptible power supplies. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  yields: 'intermittent',
  probe,
  create,
};

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  return createScrapingReceiver({
    intervalMs: config.collection_interval,
    context,
    next,
    open: () => BatteryScraper.open(config, context),
  });
}

async function probe(config: Config): Promise<Probe> {
  const supplies = await findSupplies(config);
  if (supplies.length > 0) {
    const found = `power supplies ${supplies.map(({ name, type }) => `${name} (${type})`).join(', ')}`;
    const hasEnergy = supplies.some((supply) => isBattery(supply) && isOfMachine(supply));
    return { available: true, found, remedies: [], hasEnergy };
  }
  const folder = `${config.sysfs}/class/power_supply`;
  const names = listSupplies(config);
  if (names.length > 0) {
    const found = `${names.join(', ')} in ${folder}, none of which can be read or is selected`;
    return { available: false, found, remedies: [] };
  }
  const found = `no battery, adapter or uninterruptible power supply in ${folder}; not present on this machine`;
  return { available: false, found, remedies: [] };
}

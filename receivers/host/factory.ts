import type { ReceiverFactory } from '../../src/component/component.js';
import { createSourceReceiver, probeSources } from '../../src/scraping/scraping-receiver.js';
import { schema } from './config.js';
import { listExpectedSeries, listSources, metrics } from './groups.js';

/** Reads what the kernel says of the machine: CPU time, memory, disks, network, load, pressure, frequency. */
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

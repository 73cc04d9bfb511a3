import type { ReceiverFactory } from '../../src/component/component.js';
import { createSourceReceiver, probeSources } from '../../src/scraping/scraping-receiver.js';
import { schema } from './config.js';
import * as metrics from './metrics.js';
import { listSources } from './sources.js';

/** Reads the frequencies of CPUs, their limits, and drivers and governors. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: Object.values(metrics),
  probe: (config, context) => probeSources(listSources(config), context),
  create: (config, context, next) =>
    createSourceReceiver({
      intervalMs: config.collection_interval,
      sources: listSources(config),
      context,
      next,
    }),
};

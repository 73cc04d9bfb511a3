import type { ReceiverFactory } from '../../src/component/component.js';
import { createPollingReceiver } from '../../src/scraping/polling-receiver.js';
import { checkConfig, schema } from './config.js';
import { KwollectTarget } from './kwollect-target.js';
import { metrics } from './meter-points.js';

/** The kwollect receiver: recorded measurements of Grid'5000's meters. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics,
  check: checkConfig,
  probe: ({ endpoints }) => ({
    available: true,
    found: endpoints.map(({ endpoint }) => endpoint).join(', '),
    remedies: [],
  }),
  create: (config, context, next) =>
    createPollingReceiver({
      intervalMs: config.collection_interval,
      context,
      next,
      open(targets) {
        for (const endpoint of config.endpoints) targets.add(new KwollectTarget(endpoint, config, context));
      },
    }),
};

import type { ReceiverFactory } from '../../src/component/component.js';
import { checkClientConfig } from '../../src/http/client.js';
import { checkMeters, createMeterReceiver, probeMeters } from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { schema } from './config.js';
import { openDevice } from './device.js';

/** The shelly receiver: smart plugs, relays and energy meters. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: meterMetrics,
  check: (config) => [...checkMeters(config.endpoints), ...checkClientConfig(config)],
  probe: (config, { log }) =>
    probeMeters(config.endpoints, (item) => openDevice(item, config, log), 'see receivers.shelly.endpoints'),
  create: (config, context, next) =>
    createMeterReceiver({
      intervalMs: config.collection_interval,
      context,
      next,
      items: config.endpoints,
      interface: 'shelly',
      open: (item) => openDevice(item, config, context.log),
    }),
};

import type { ReceiverFactory } from '../../src/component/component.js';
import { hwTemperature, meterResolution } from '../../src/model/shared-metrics.js';
import { checkMeters, createMeterReceiver, probeMeters } from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { schema } from './config.js';
import { checkModule, openModule } from './module.js';

/** Only energy and the quantities that it is computed from are published. */
const unused = new Set([meterResolution.name, hwTemperature.name]);

/** The quarch receiver: power modules of Quarch Technology. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: meterMetrics.filter(({ name }) => !unused.has(name)),
  check: ({ endpoints }) => [
    ...checkMeters(endpoints),
    ...endpoints.flatMap((one, i) => checkModule(one).map((problem) => `endpoints[${i}].${problem}`)),
  ],
  probe: ({ endpoints }) => probeMeters(endpoints, openModule, 'see receivers.quarch.endpoints'),
  create: ({ endpoints, collection_interval: intervalMs, timeout: timeoutMs }, context, next) =>
    createMeterReceiver({
      intervalMs,
      timeoutMs,
      context,
      next,
      items: endpoints,
      interface: 'quarch',
      open: openModule,
    }),
};

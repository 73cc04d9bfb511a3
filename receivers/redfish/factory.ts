import type { ReceiverFactory } from '../../src/component/component.js';
import { checkClientConfig } from '../../src/http/client.js';
import { hwFanSpeed, hwFanSpeedRatio, hwStatus } from '../../src/model/shared-metrics.js';
import { checkMeters, createMeterReceiver, probeMeters } from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { schema } from './config.js';
import { openMeter } from './redfish-meter.js';

/** One reading of a large machine takes dozens of requests. */
const readingTimeoutMs = 60_000;

/** The redfish receiver: power, energy and sensors of servers by the HTTP interface of their BMCs. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [...meterMetrics, hwFanSpeed, hwFanSpeedRatio, hwStatus],
  check: (config) => [...checkMeters(config.endpoints), ...checkClientConfig(config)],
  probe: (config, { log }) =>
    probeMeters(config.endpoints, (item) => openMeter(item, config, log), 'see receivers.redfish.endpoints'),
  create: (config, context, next) =>
    createMeterReceiver({
      intervalMs: config.collection_interval,
      timeoutMs: readingTimeoutMs,
      context,
      next,
      items: config.endpoints,
      interface: 'redfish',
      open: (item) => openMeter(item, config, context.log),
    }),
};

import type { ReceiverFactory } from '../../src/component/component.js';
import {
  checkMeters,
  createMeterReceiver,
  probeMeters,
  type RemoteMeter,
} from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { checkConfig, schema, type Config, type Endpoint } from './config.js';
import { openDevice } from './device.js';
import { loadSnmp } from './snmp-session.js';

/** The snmp receiver: power distribution units and other devices with power in their MIB. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: meterMetrics,
  check: (config) => [...checkMeters(config.endpoints), ...checkConfig(config)],
  probe: (config) =>
    probeMeters(config.endpoints, (item) => open(item, config), 'see receivers.snmp.endpoints'),
  create: (config, context, next) =>
    createMeterReceiver({
      intervalMs: config.collection_interval,
      context,
      next,
      items: config.endpoints,
      interface: 'snmp',
      open: (item) => open(item, config),
    }),
};

async function open(endpoint: Endpoint, config: Config): Promise<RemoteMeter> {
  return openDevice(endpoint, config, await loadSnmp());
}

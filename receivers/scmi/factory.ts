import type { ReceiverFactory } from '../../src/component/component.js';
import type { Probe } from '../../src/component/probe.js';
import { UnavailableError } from '../../src/errors.js';
import { hostEnergy, hostPower, hwPower, meterEnergy } from '../../src/model/shared-metrics.js';
import { createMeterReceiver } from '../../src/scraping/meter-receiver.js';
import { meterMetrics } from '../../src/scraping/meter-table.js';
import { schema, type Config } from './config.js';
import { findZones, openZones, zoneFolder } from './zones.js';

const used = new Set([meterEnergy.name, hwPower.name, hostEnergy.name, hostPower.name]);

/** The scmi receiver: power domains that the firmware of an Arm machine measures. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: meterMetrics.filter(({ name }) => used.has(name)),
  yields: 'board',
  probe,
  create: (config, context, next) =>
    createMeterReceiver({
      intervalMs: config.collection_interval,
      context,
      next,
      items: [{ measures: config.measures, channels: [] }],
      interface: 'scmi_powercap',
      open: () => {
        if (findZones(config.sysfs).length === 0) throw new UnavailableError(describeMissing(config));
        return openZones(config.sysfs);
      },
    }),
};

function describeMissing({ sysfs }: Config): string {
  return `Cannot read SCMI power domains: expected zones of arm-scmi in ${zoneFolder(sysfs)}, found none`;
}

const remedy = {
  missing: 'the driver arm_scmi_powercap, where the firmware of the machine has power domains',
  command: 'sudo modprobe arm_scmi_powercap',
};

function probe(config: Config): Probe {
  const zones = findZones(config.sysfs);
  if (zones.length === 0) return { available: false, found: describeMissing(config), remedies: [remedy] };
  return {
    available: true,
    found: zones.map(({ id, name }) => `${id} (${name ?? '?'})`).join(', '),
    remedies: [],
  };
}

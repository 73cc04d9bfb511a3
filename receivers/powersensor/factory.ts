import { accessSync, constants } from 'node:fs';
import { basename } from 'node:path';
import type { Component, ReceiverContext, ReceiverFactory } from '../../src/component/component.js';
import type { Consumer } from '../../src/component/consumer.js';
import type { Probe } from '../../src/component/probe.js';
import { describeCode } from '../../src/errors.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Metric, Series } from '../../src/model/series.js';
import { hwCurrent, hwPower, hwVoltage, meterEnergy } from '../../src/model/shared-metrics.js';
import { watchGaps } from '../../src/sampling/gaps.js';
import { createSamplingReceiver } from '../../src/sampling/sampling-receiver.js';
import { schema, type Config } from './config.js';
import type { Pair } from './protocol.js';
import type { Columns } from './sampler.js';
import { StreamWatch } from './stream-watch.js';

const rejectedBytes: Metric = {
  name: 'powersensor.rejected',
  unit: 'By',
  description:
    'Bytes of the sample stream that were rejected, because they belong to no complete set of samples',
  kind: 'counter',
  valueType: 'int',
};

/** The powersensor receiver: PowerSensor3, a USB meter that samples rails 20,000 times a second. */
export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [meterEnergy, hwPower, hwVoltage, hwCurrent, rejectedBytes],
  probe,
  create,
};

/** Only checks that the device exists: a query would stop the measurement of another process. */
function probe({ device }: Config): Probe {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return { available: true, found: device, remedies: [] };
  } catch (error) {
    const reason = describeCode(error);
    if (reason === 'ENOENT') {
      const missing =
        'where a meter is connected to this machine, the setting "device" with one of the paths that this lists';
      const command = 'ls /dev/serial/by-id/*';
      const found = `no meter at ${device}; not present on this machine`;
      return { available: false, found, remedies: [{ missing, command }] };
    }
    const remedies =
      reason === 'EACCES'
        ? [{ missing: `access to ${device}`, command: 'sudo usermod -aG dialout "$USER"' }]
        : [];
    return { available: false, found: `${device}: ${reason}`, remedies };
  }
}

function create(config: Config, context: ReceiverContext, next: Consumer): Component {
  const watch = new StreamWatch(config.device, context, watchGaps(context, next));
  return createSamplingReceiver({
    context,
    next: watch,
    module: new URL('./sampler.js', import.meta.url),
    options: config,
    intervalMs: config.sampling_interval,
    flushMs: config.flush_interval,
    // Reading the configuration of the sensors takes several hundred milliseconds.
    ownThread: true,
    createSeries: ({ pairs, losses }: Columns, start) => {
      watch.follow(losses);
      const ofPairs = pairs.flatMap((pair) => describePair(pair, config, context, start));
      return [...ofPairs, describeRejected(config, context, start)];
    },
  });
}

function describeRejected({ device }: Config, { host }: ReceiverContext, start: bigint): Series {
  return { metric: rejectedBytes, resource: host, attributes: { [ATTR_HW_ID]: basename(device) }, start };
}

function describePair(
  { number, name }: Pair,
  { device }: Config,
  { host }: ReceiverContext,
  start: bigint,
): readonly Series[] {
  const attributes = {
    [ATTR_HW_TYPE]: 'power_rail',
    [ATTR_HW_ID]: `${basename(device)}/${number}`,
    ...(name !== '' && { [ATTR_HW_NAME]: name }),
  };
  const energy = { ...attributes, [ATTR_ENERGY_METHOD]: 'measured', [ATTR_ENERGY_INTERFACE]: 'powersensor' };
  const gauges = [hwPower, hwVoltage, hwCurrent].map((metric) => ({
    metric,
    resource: host,
    attributes,
    start,
  }));
  return [{ metric: meterEnergy, resource: host, attributes: energy, start }, ...gauges];
}

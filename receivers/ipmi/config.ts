import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings of the power of the host, which are taken at multiples of it on the wall clock; 100ms to 1h. Most BMCs refresh it once a second.',
    format: 'duration',
    default: '1s',
    min: 100,
    max: 3_600_000,
  },
  sensor_interval: {
    doc: 'Time between two readings of each sensor. A reading takes the BMC 1 to 10 ms.',
    format: 'duration',
    default: '10s',
    min: 100,
    max: 3_600_000,
  },
  device: {
    doc: 'Number of the IPMI device: 0 is `/dev/ipmi0`, `/dev/ipmi/0` or `/dev/ipmidev/0`.',
    format: 'int',
    default: 0,
    min: 0,
    max: 255,
  },
  host_power_sensor: {
    doc: 'Name of the sensor that measures the power of the whole host. Unset: the power reading of DCMI, otherwise a sensor with a name that vendors use for it.',
    format: 'string',
    default: null,
  },
  metrics: {
    sensors: {
      doc: 'All sensors of the BMC: power, voltage, current, temperature, fans and power supplies.',
      format: 'boolean',
      default: true,
    },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

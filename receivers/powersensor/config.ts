import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  device: { doc: 'Serial device of the PowerSensor3.', format: 'path', default: '/dev/ttyACM0' },
  sampling_interval: {
    doc: 'Time between two published readings. Energy contains every sample in between.',
    format: 'duration',
    default: '10ms',
    min: 0.1,
    max: 1000,
  },
  flush_interval: {
    doc: 'Time between two tables, which contain all readings since the previous one; 10ms to 10s.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 10_000,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

import { existsSync } from 'node:fs';
import { createSamplingReceiver, type Metric, type ReceiverFactory, type Schema } from 'joulemetry/plugin';

const schema = {
  path: {
    doc: 'File with an energy counter in microjoules.',
    format: 'path',
    default: '/sys/class/hwmon/hwmon0/energy1_input',
  },
  sampling_interval: { doc: 'Time between two readings.', format: 'duration', default: '1ms', min: 0.02 },
  flush_interval: { doc: 'Time between two tables.', format: 'duration', default: '1s', min: 10 },
} as const satisfies Schema;

const energy: Metric = {
  name: 'example.energy',
  unit: 'J',
  description: 'Energy used by what the sensor measures',
  kind: 'counter',
  valueType: 'double',
};

export const factory: ReceiverFactory<typeof schema> = {
  schema,
  metrics: [energy],
  probe({ path }) {
    const available = existsSync(path);
    return { available, found: available ? path : `${path} does not exist`, remedies: [] };
  },
  create: ({ path, sampling_interval: intervalMs, flush_interval: flushMs }, context, next) =>
    createSamplingReceiver({
      context,
      next,
      // Loaded on a sampling thread, which passes `options` to its openSampler.
      module: new URL('./sampler.js', import.meta.url),
      options: path,
      intervalMs,
      flushMs,
      createSeries: (columns: readonly string[], start) =>
        columns.map((id) => ({ metric: energy, resource: context.host, attributes: { 'hw.id': id }, start })),
    }),
};

import type { ProcessorFactory } from '../../src/component/component.js';
import { schema } from './config.js';
import { createPowerMetric, isEnergyName, Power } from './power.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: schema.metrics.default.map(createPowerMetric),
  check: ({ metrics }) =>
    metrics
      .filter((name) => !isEnergyName(name))
      .map((name) => `metrics: expected energy counters, whose names end in ".energy", found "${name}"`),
  create: (config, _context, next) => new Power(config, next),
};

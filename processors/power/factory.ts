import type { ProcessorFactory } from '../../src/component/component.js';
import { schema } from './config.js';
import { createPowerMetric, isEnergyName } from './metrics.js';
import { Power } from './power.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: schema.metrics.default.map(createPowerMetric),
  check: ({ metrics }) =>
    metrics
      .filter((name) => !isEnergyName(name))
      .map(
        (name) => `metrics: found "${name}", wanted the name of an energy counter, which ends in ".energy"`,
      ),
  create: (config, _context, next) => new Power(config, next),
};

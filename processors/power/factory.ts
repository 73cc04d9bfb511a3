import type { ProcessorFactory } from '../../src/component/component.js';
import { checkEnergyNames } from '../../src/model/energy-names.js';
import { schema } from './config.js';
import { createPowerMetric, Power } from './power.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: schema.metrics.default.map(createPowerMetric),
  check: ({ metrics }) => checkEnergyNames(metrics),
  create: (config, _context, next) => new Power(config, next),
};

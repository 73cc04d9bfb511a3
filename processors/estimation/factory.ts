import type { ProcessorFactory } from '../../src/component/component.js';
import { floorPower, hostEnergy, hwEnergy, meterEnergy } from '../../src/model/shared-metrics.js';
import { busyTime, logicalCpus } from '../../src/model/usage-metrics.js';
import { checkConfig, schema } from './config.js';
import { Estimation } from './estimation.js';

/** Energy of hardware without a meter, from its utilization and power models. */
export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [hostEnergy, hwEnergy, meterEnergy, floorPower],
  needs: [
    { what: 'CPU time of the machine', metrics: [busyTime.name], from: 'process' },
    { what: 'the number of CPUs', metrics: [logicalCpus.name], from: 'host' },
  ],
  check: checkConfig,
  create: (config, context, next) => new Estimation(config, context, next),
};

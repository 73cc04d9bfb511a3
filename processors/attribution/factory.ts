import type { ProcessorFactory } from '../../src/component/component.js';
import {
  attributionFloor,
  ledgerEnergy,
  meteredEnergyNames,
  processCpuTime,
  processEnergy,
} from '../../src/model/shared-metrics.js';
import { Attribution } from './attribution.js';
import { schema, type Config } from './config.js';
import { cgroupEnergy, programEnergy, viewNames } from './views.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [ledgerEnergy, processEnergy, programEnergy, cgroupEnergy, attributionFloor],
  needs: [
    { what: 'energy', metrics: [...meteredEnergyNames], from: 'rapl or estimate' },
    { what: 'CPU time of processes', metrics: [processCpuTime.name], from: 'process' },
  ],
  check: (config) => [...checkViews(config), ...checkFloors(config)],
  create: (config, context, next) => new Attribution(config, context, next),
};

function checkViews({ views }: Config): readonly string[] {
  return views
    .filter((view) => !viewNames.includes(view))
    .map((view) => `views: expected some of ${viewNames.join(', ')}, found "${view}"`);
}

function checkFloors({ floor }: Config): readonly string[] {
  return floor.flatMap(({ power }, i) =>
    power === null ? [`floor[${i}].power: expected watts, found nothing`] : [],
  );
}

import type { ProcessorFactory } from '../../src/component/component.js';
import { Attribution } from './attribution.js';
import { schema, type Config } from './config.js';
import { meteredEnergyNames, processCpuTime } from '../../src/model/shared-metrics.js';
import { attributionFloor, ledgerEnergy, processEnergy } from '../../src/model/shared-metrics.js';
import { cgroupEnergy, programEnergy } from './metrics.js';
import { viewNames } from './views.js';

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
    .map((view) => `views: found "${view}", wanted one of ${viewNames.join(', ')}`);
}

function checkFloors({ floor }: Config): readonly string[] {
  return floor.flatMap(({ power }, i) =>
    power === null ? [`floor[${i}].power: not set, wanted watts`] : [],
  );
}

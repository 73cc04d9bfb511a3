import type { ProcessorFactory } from '../../src/component/component.js';
import {
  attributionError,
  attributionFloor,
  gpuInstanceEnergy,
  ledgerEnergy,
} from '../../src/model/ledger-metrics.js';
import { meteredEnergyNames } from '../../src/model/shared-metrics.js';
import { memoryTrafficMember, packageUsageMetrics, processCpuTime } from '../../src/model/usage-metrics.js';
import { Attribution } from './attribution.js';
import { schema, type Config } from './config.js';
import { checkViews, viewMetrics } from './views.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [ledgerEnergy, ...viewMetrics, gpuInstanceEnergy, attributionFloor, attributionError],
  needs: [
    { what: 'energy', metrics: [...meteredEnergyNames], from: 'rapl or estimate' },
    { what: 'CPU time of processes', metrics: [processCpuTime.name], from: 'process' },
  ],
  consumes: [...packageUsageMetrics, memoryTrafficMember],
  namedMetrics: ({ custom_views }) => custom_views.flatMap(({ metric }) => metric ?? []),
  check: (config) => [
    ...checkViews(config),
    ...checkFloors(config),
    ...checkWeights(config),
    ...checkAudit(config),
  ],
  create: (config, context, next) => new Attribution(config, context, next),
};

function checkAudit({ audit }: Config): readonly string[] {
  return audit?.path === null ? ['audit.path: expected the path of a file, found none'] : [];
}

function checkFloors({ floor }: Config): readonly string[] {
  return floor.flatMap(({ power }, i) =>
    power === null ? [`floor[${i}].power: expected watts, found nothing`] : [],
  );
}

function checkWeights({ weights }: Config): readonly string[] {
  return weights.flatMap(({ model, counters }, i) => {
    const where = `weights[${i}].counters`;
    if (model === 'counters')
      return counters.length > 0 ? [] : [`${where}: expected names of events, found none`];
    // They are counted once for all hardware.
    const first = weights.findIndex((one) => one.model === model);
    const wanted = String(weights[first]?.counters);
    if (String(counters) === wanted) return [];
    return [
      `${where}: expected the events of weights[${first}] (${wanted || 'none'}), found ${String(counters) || 'none'}`,
    ];
  });
}

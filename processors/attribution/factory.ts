import type { ProcessorFactory } from '../../src/component/component.js';
import {
  attributionError,
  attributionFloor,
  attributionRefreshRatio,
  attributionResidual,
  attributionTickRatio,
  attributionUnattributed,
  gpuInstanceEnergy,
  ledgerEnergy,
} from '../../src/model/ledger-metrics.js';
import { meteredEnergyNames } from '../../src/model/shared-metrics.js';
import { memoryTrafficMember, packageUsageMetrics, processCpuTime } from '../../src/model/usage-metrics.js';
import { checkViews, viewMetrics } from '../../src/usage/views.js';
import { Attribution } from './attribution.js';
import { checkFactors, checkWeights, schema, type Config } from './config.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  metrics: [
    ledgerEnergy,
    ...viewMetrics,
    gpuInstanceEnergy,
    attributionFloor,
    attributionError,
    attributionUnattributed,
    attributionRefreshRatio,
    attributionTickRatio,
    attributionResidual,
  ],
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
    ...checkFactors(config),
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

import type { Metric } from '../../src/model/series.js';

const energySuffix = '.energy';

/** Whether power can be derived from a metric of this name. */
export function isEnergyName(name: string): boolean {
  return name.endsWith(energySuffix);
}

/** The metric that is derived from an energy counter. */
export function createPowerMetric(energyName: string): Metric {
  return {
    name: `${energyName.slice(0, -energySuffix.length)}.power`,
    unit: 'W',
    description: `Mean power over a window, from ${energyName}`,
    kind: 'gauge',
    valueType: 'double',
  };
}

import type { Metric } from '../../src/model/series.js';
import {
  hostEnergy,
  hostPower,
  hwCurrent,
  hwFanSpeed,
  hwFanSpeedRatio,
  hwPower,
  hwStatus,
  hwTemperature,
  hwVoltage,
  meterEnergy,
} from '../../src/model/shared-metrics.js';

export const powerStatistic: Metric = {
  name: 'ipmi.host.power',
  unit: 'W',
  description: 'Minimum, maximum and average power of the host, over a period that the BMC defines',
  kind: 'gauge',
  valueType: 'double',
};

export const powerPeriod: Metric = {
  name: 'ipmi.host.power.period',
  unit: 's',
  description: 'Period over which the BMC computes ipmi.host.power',
  kind: 'gauge',
  valueType: 'double',
};

/** Every metric of this receiver. */
export const metrics: readonly Metric[] = [
  hostEnergy,
  hostPower,
  meterEnergy,
  hwPower,
  powerStatistic,
  powerPeriod,
  hwVoltage,
  hwCurrent,
  hwTemperature,
  hwFanSpeed,
  hwFanSpeedRatio,
  hwStatus,
];

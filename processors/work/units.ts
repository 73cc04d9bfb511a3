import { deriveEnergyName } from '../../src/model/energy-names.js';
import { findAttribute } from '../../src/model/group.js';
import type { AnySeries } from '../../src/model/series.js';
import type { WorkloadConfig } from './config.js';
import { presets, type PresetUnit } from './presets.js';

/** What a series is for the workloads of a configuration. */
export interface Role {
  readonly kind: 'energy' | 'carbon' | 'plus' | 'minus';
  /** Of `plus` and `minus`: the number of the unit. */
  readonly unit: number;
}

/** Emissions of making the machine, of the processor `carbon`. */
export const embodiedName = 'hw.host.carbon.embodied';

/** The units of a workload, those of its preset first. */
export function listUnits({ preset, units }: WorkloadConfig): readonly PresetUnit[] {
  return [
    ...presets[preset],
    ...units.map(({ name, metric, minus, attributes }) => ({
      name: name ?? '',
      metric: metric ?? '',
      minus,
      attributes,
    })),
  ];
}

/** What a series is for the workloads of a configuration; one counter may be of several units. */
export function findRoles(config: WorkloadConfig, series: AnySeries): readonly Role[] {
  const roles: Role[] = [];
  const { name } = series.metric;
  if (name === config.energy && hasAll(series, config.attributes)) roles.push({ kind: 'energy', unit: -1 });
  const isCarbon = config.carbon !== null && name === carbonName(config) && isByLocation(series);
  if (isCarbon && hasAll(series, config.attributes)) roles.push({ kind: 'carbon', unit: -1 });
  for (const [unit, { metric, minus, attributes }] of listUnits(config).entries()) {
    if (name === metric && hasAll(series, attributes)) roles.push({ kind: 'plus', unit });
    if (name === minus && hasAll(series, attributes)) roles.push({ kind: 'minus', unit });
  }
  return roles;
}

function carbonName({ carbon, energy }: WorkloadConfig): string {
  return carbon?.metric ?? deriveEnergyName(energy, 'carbon');
}

function hasAll(series: AnySeries, attributes: Readonly<Record<string, string>>): boolean {
  return Object.entries(attributes).every(([name, value]) => String(findAttribute(series, name)) === value);
}

/** Of the two ways of accounting, the SCI wants that of the place. */
function isByLocation({ attributes }: AnySeries): boolean {
  return (attributes['carbon.accounting'] ?? 'location') === 'location';
}

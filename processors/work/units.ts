import { deriveEnergyName } from '../../src/model/energy-names.js';
import { hasAttributes } from '../../src/model/group.js';
import { ATTR_CARBON_ACCOUNTING } from '../../src/model/semantic-conventions.js';
import type { AnySeries } from '../../src/model/series.js';
import type { WorkloadConfig } from './config.js';
import { presets, type PresetUnit } from './presets.js';

/** The role of a series for the workloads of a configuration. */
export interface Role {
  readonly kind: 'energy' | 'carbon' | 'plus' | 'minus';
  /** For `plus` and `minus`: the index of the unit. */
  readonly unit: number;
  /** Whether the sum of a histogram's values counts, instead of their number. */
  readonly isSum: boolean;
}

/** The units of a workload, those of its preset first. */
export function listUnits({ preset, units }: WorkloadConfig): readonly PresetUnit[] {
  return [
    ...presets[preset],
    ...units.map(({ name, metric, value, minus, attributes }) => ({
      name: name ?? '',
      metric: metric ?? '',
      value,
      minus,
      attributes,
    })),
  ];
}

/** The role of a series for the workloads of a configuration; one counter may belong to several units. */
export function findRoles(config: WorkloadConfig, series: AnySeries): readonly Role[] {
  const roles: Role[] = [];
  const { name } = series.metric;
  if (name === config.energy && hasAttributes(series, config.attributes))
    roles.push({ kind: 'energy', unit: -1, isSum: false });
  const isCarbon = config.carbon !== null && name === carbonName(config) && isByLocation(series);
  if (isCarbon && hasAttributes(series, config.attributes))
    roles.push({ kind: 'carbon', unit: -1, isSum: false });
  for (const [unit, { metric, value, minus, attributes }] of listUnits(config).entries()) {
    if (!hasAttributes(series, attributes)) continue;
    const isSum = value === 'sum';
    // A scraped histogram may arrive as separate series, one of which is the counter.
    if (name === metric || name === `${metric}_${value}`) roles.push({ kind: 'plus', unit, isSum });
    if (name === minus) roles.push({ kind: 'minus', unit, isSum });
  }
  return roles;
}

function carbonName({ carbon, energy }: WorkloadConfig): string {
  return carbon?.metric ?? deriveEnergyName(energy, 'carbon');
}

/** Of the two accounting methods, the SCI requires the location-based one. */
function isByLocation({ attributes }: AnySeries): boolean {
  return (attributes[ATTR_CARBON_ACCOUNTING] ?? 'location') === 'location';
}

/**
 * Whether another entry may use other energy of the same resource: unless the entries expect different values of an
 * attribute, only the name of the energy counter distinguishes their workloads.
 */
export function sharesResources(config: WorkloadConfig, all: readonly WorkloadConfig[]): boolean {
  return all.some(
    (other) =>
      other.energy !== config.energy &&
      Object.entries(other.attributes).every(([name, value]) => (config.attributes[name] ?? value) === value),
  );
}

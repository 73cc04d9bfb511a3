import { elementAt } from '../../src/element.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { hwEnergy, raplEnergy } from '../../src/model/shared-metrics.js';
import type { DomainKind, SimulatedDomain } from '../../src/simulation/machine-spec.js';
import type { Columns } from './sampler.js';
import {
  ATTR_ENERGY_INTERFACE,
  ATTR_ENERGY_METHOD,
  ATTR_HW_ID,
  ATTR_HW_NAME,
  ATTR_HW_PARENT,
  ATTR_HW_TYPE,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';

/** The truth. */
export const trueEnergy: Metric = {
  name: 'simulator.energy',
  unit: 'J',
  description: 'Energy that a simulated domain really used: when idle, and for each process beyond that',
  kind: 'counter',
  valueType: 'double',
};

const hardwareTypes: Partial<Readonly<Record<DomainKind, string>>> = {
  package: 'cpu',
  dram: 'memory',
  gpu: 'gpu',
};

/** Whether it overlaps with no other domain. */
export function isApart({ kind }: SimulatedDomain): boolean {
  return hardwareTypes[kind] !== undefined;
}

/** `hw.type`, `hw.id` and what else identifies a domain. */
export function describeDomain({ kind, name, place }: SimulatedDomain): Attributes {
  const type = hardwareTypes[kind];
  const packageId = `cpu-package-${place}`;
  const parent = kind === 'psys' || kind === 'gpu' ? {} : { [ATTR_HW_PARENT]: packageId };
  if (type === undefined) return { [ATTR_RAPL_DOMAIN]: kind, [ATTR_HW_ID]: name, ...parent };
  if (kind === 'package') return { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: packageId, [ATTR_HW_NAME]: name };
  return { [ATTR_HW_TYPE]: type, [ATTR_HW_ID]: name, [ATTR_HW_NAME]: name, ...parent };
}

/** The attributes of the measured energy of a domain. */
export function describeMeter(domain: SimulatedDomain): Attributes {
  return {
    ...describeDomain(domain),
    [ATTR_ENERGY_METHOD]: 'measured',
    [ATTR_ENERGY_INTERFACE]: 'simulator',
  };
}

/**
 * The series of the sampler's columns, in order.
 * @param start Unix time in nanoseconds of their first row
 */
export function createEnergySeries(
  { domains, agesMs }: Columns,
  resource: Resource,
  start: bigint,
): readonly Series[] {
  return domains.map((domain, column) => ({
    metric: isApart(domain) ? hwEnergy : raplEnergy,
    resource,
    attributes: describeMeter(domain),
    start: start - BigInt(Math.round(elementAt(agesMs, column) * 1e6)),
  }));
}

import { elementAt } from '../../src/element.js';
import { describeDomain, energyMetricOf, hardwareTypeOf } from '../../src/model/energy-domain.js';
import { ATTR_ENERGY_INTERFACE, ATTR_ENERGY_METHOD } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import type { SimulatedDomain } from '../../src/simulation/machine-spec.js';
import type { Columns } from './sampler.js';

/** The owner of the energy: a process, or idle. */
export const partName = 'simulator.part';

/** The true energy. */
export const trueEnergy: Metric = {
  name: 'simulator.energy',
  unit: 'J',
  description: 'True energy of a simulated domain: its idle energy, and what each process adds to it',
  kind: 'counter',
  valueType: 'double',
};

/** Whether it does not overlap with other domains. */
export function isHardwareDomain(domain: SimulatedDomain): boolean {
  return hardwareTypeOf(domain) !== undefined;
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
    metric: energyMetricOf(domain),
    resource,
    attributes: describeMeter(domain),
    start: start - BigInt(Math.round(elementAt(agesMs, column) * 1e6)),
  }));
}

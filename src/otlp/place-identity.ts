import type { Setting } from '../component/schema.js';
import { createPlans } from '../model/plan.js';
import type { Attributes, Resource, Series } from '../model/series.js';

/** Where the attributes of a workload are sent: those of its resource, of its points, or both. */
export const identityPlaces = ['resource', 'attributes', 'both'] as const;

export type IdentityPlace = (typeof identityPlaces)[number];

/** The setting of exporters that send OTLP. */
export const identitySetting = {
  doc: 'Where the attributes of processes, containers and other workloads are sent: as attributes of their resource, of their points, or both. Backends that make no labels of resource attributes, such as Prometheus by default, can only distinguish workloads by attributes of points.',
  format: identityPlaces,
  default: 'resource',
} as const satisfies Setting;

/** Attributes of the machine and of the program that reports it: these always belong to the resource. */
const ofMachine = /^(?:cloud|deployment|host|os|service|telemetry)\./u;

/**
 * Returns a function that copies or moves the attributes of workloads from resources to series. An attribute of a
 * series takes precedence over one of its resource. The same series for the same ones, and the same array for the same
 * array.
 */
export function createPlacement<Column extends Series<unknown>>(
  place: IdentityPlace,
): (series: readonly Column[]) => readonly Column[] {
  if (place === 'resource') return (series) => series;
  const findResource = createPlans((resource: Resource): Resource =>
    place === 'both' ? resource : { attributes: pick(resource, (name) => ofMachine.test(name)) },
  );
  const findSeries = createPlans((series: Column): Column => ({
    ...series,
    resource: findResource(series.resource),
    attributes: { ...pick(series.resource, (name) => !ofMachine.test(name)), ...series.attributes },
  }));
  return createPlans((series) => series.map(findSeries));
}

function pick({ attributes }: Resource, isPicked: (name: string) => boolean): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => isPicked(name)));
}

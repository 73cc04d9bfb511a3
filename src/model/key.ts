import { createPlans } from './plan.js';
import type { Attributes, Resource, Series } from './series.js';

/** A string that two attribute sets share exactly when they are equal, whatever their order. */
export function attributesKey(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** A string that two resources share exactly when their attributes are equal. Built once per resource. */
export const resourceKey = createPlans((resource: Resource) => attributesKey(resource.attributes));

/** A string that two series share exactly when metric name, resource and attributes are equal. Built once. */
export const seriesKey = createPlans(
  (series: Series) =>
    `${series.metric.name}\n${attributesKey(series.attributes)}\n${resourceKey(series.resource)}`,
);

import type { ProcessorFactory } from '../../src/component/component.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import { attributesKey, type AnySeries, type Attributes, type Resource } from '../../src/model/series.js';
import { schema } from './config.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  create: ({ keys }, context, next) =>
    createMappingProcessor(createGrouping(keys), context, next, () => 'sum'),
};

/**
 * Moves attributes of series to their resource. Resources with equal attributes become one object for each
 * resource that they came from.
 */
function createGrouping(keys: readonly string[]): <S extends AnySeries>(series: S) => S {
  const moved = new Set(keys);
  const groupsOf = createPlans((_resource: Resource) => new Map<string, Resource>());
  return (series) => {
    const [own, shared] = divide(series.attributes, moved);
    if (Object.keys(shared).length === 0) return series;
    const resource = findOrAdd(groupsOf(series.resource), attributesKey(shared), () => ({
      attributes: { ...series.resource.attributes, ...shared },
    }));
    return { ...series, resource, attributes: own };
  };
}

/** The attributes that stay, and those that are moved. */
function divide(
  attributes: Attributes,
  moved: ReadonlySet<string>,
): readonly [own: Attributes, shared: Attributes] {
  const entries = Object.entries(attributes);
  return [
    Object.fromEntries(entries.filter(([name]) => !moved.has(name))),
    Object.fromEntries(entries.filter(([name]) => moved.has(name))),
  ];
}

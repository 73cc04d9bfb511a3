import { applyActions, checkActions, replaceActionSettings } from '../../src/component/attribute-actions.js';
import type { Context, ProcessorFactory } from '../../src/component/component.js';
import { createMappingProcessor } from '../../src/component/mapping-processor.js';
import { defaultServiceName } from '../../src/component/resource-environment.js';
import { createPlans } from '../../src/model/plan.js';
import { ATTR_HOST_ID, ATTR_HOST_NAME, ATTR_SERVICE_NAME } from '../../src/model/semantic-conventions.js';
import type { Attributes, AttributeValue, Resource } from '../../src/model/series.js';
import { schema, type Config } from './config.js';
import { detectAttributes, detectorNames } from './detect.js';

export const factory: ProcessorFactory<typeof schema> = {
  schema,
  replacedSettings: replaceActionSettings('attributes'),
  check: ({ detectors, attributes }) => [
    ...(detectors ?? [])
      .filter((name) => !detectorNames.includes(name))
      .map((name) => `detectors: expected some of ${detectorNames.join(', ')}, found "${name}"`),
    ...checkActions(attributes, 'attributes'),
  ],
  create(config, context, next) {
    const mapResource = createResourceMapping(config, context);
    return createMappingProcessor(
      (series) => {
        const resource = mapResource(series.resource);
        return resource === series.resource ? series : { ...series, resource };
      },
      context,
      next,
    );
  },
};

/** Maps each resource object once, so that what shared a resource shares the new one, too. */
function createResourceMapping(config: Config, { host, log }: Context): (resource: Resource) => Resource {
  const detectors = config.detectors ?? (config.attributes.length > 0 ? [] : detectorNames);
  const detected = detectAttributes(detectors, { root: config.root, environment: process.env, log });
  const machine: Machine = { named: host.attributes, detected };
  return createPlans((resource: Resource) => {
    const described = describeResource(resource.attributes, machine, config.override);
    const attributes = applyActions(described, config.attributes);
    return attributes === resource.attributes ? resource : { attributes };
  });
}

/** What is known of this machine. */
interface Machine {
  /** As receivers name it. */
  readonly named: Attributes;
  readonly detected: Attributes;
}

function describeResource(attributes: Attributes, machine: Machine, override: boolean): Attributes {
  if (override) return { ...attributes, ...machine.detected, ...keepName(attributes, machine) };
  if (isElsewhere(attributes, machine)) return attributes;
  // Not by a spread, and property by property: else V8 of Node 20 gives each object a shape of its own, of 400 bytes.
  const described: Record<string, AttributeValue> = Object.assign({}, attributes);
  for (const [key, value] of Object.entries(machine.detected)) {
    // An attribute that receivers give every resource to name the machine yields to what was detected.
    if (!Object.hasOwn(attributes, key) || machine.named[key] === attributes[key]) described[key] = value;
  }
  return described;
}

/** The default is not detected, so that it replaces no name. */
function keepName({ [ATTR_SERVICE_NAME]: name }: Attributes, { detected }: Machine): Attributes {
  const isDefault = detected[ATTR_SERVICE_NAME] === defaultServiceName;
  return isDefault && name !== undefined ? { [ATTR_SERVICE_NAME]: name } : {};
}

/** Whether a resource is of another machine by its own attributes, as those from other collectors are. */
function isElsewhere(attributes: Attributes, { named, detected }: Machine): boolean {
  return [ATTR_HOST_ID, ATTR_HOST_NAME].some((key) => {
    const known = [named[key], detected[key]].filter((value) => value !== undefined);
    const own = attributes[key];
    return own !== undefined && known.length > 0 && !known.includes(own);
  });
}

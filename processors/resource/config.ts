import { createActionsSetting } from '../../src/component/attribute-actions.js';
import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  detectors: {
    doc: 'Detectors whose attributes are added to every resource: `env` (the variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES), `host` and `os`. If two find the same attribute, that of the first is used. Unset: all three or, as in the Collector, none if there are `attributes`.',
    format: 'string_list',
    default: null,
  },
  override: {
    doc: 'Whether detected attributes replace those that a resource already has.',
    format: 'boolean',
    default: false,
  },
  attributes: createActionsSetting(
    'Actions on the attributes of every resource, applied in this order after detection.',
  ),
  root: {
    doc: 'Root folder of the machine, with `etc/machine-id` and `etc/os-release`. In a container: where the root folder of the machine is mounted.',
    format: 'path',
    default: '/',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

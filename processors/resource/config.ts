import { createActionsSetting } from '../../src/component/attribute-actions.js';
import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  detectors: {
    doc: 'What is detected and added to every resource: `env` (the variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES), `host`, `os`; where two find the same attribute, the first one counts.',
    format: 'string_list',
    default: ['env', 'host', 'os'],
  },
  override: {
    doc: 'Whether what is detected replaces what a resource has already.',
    format: 'boolean',
    default: false,
  },
  attributes: createActionsSetting(
    'Actions on the attributes of every resource, applied in this order after the detection.',
  ),
  root: {
    doc: 'The folder that holds `etc/machine-id` and `etc/os-release` of the machine, for use in a container.',
    format: 'path',
    default: '/',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

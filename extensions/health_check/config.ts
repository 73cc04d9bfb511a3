import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { webConfigSettings } from '../../src/config/endpoint.js';

export const schema = {
  endpoint: {
    doc: 'Where to listen; not set means localhost:13133, or no endpoint when that port is in use.',
    format: 'endpoint',
    default: null,
  },
  path: { doc: 'The path of the health check.', format: 'string', default: '/' },
  ...webConfigSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

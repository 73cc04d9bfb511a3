import type { Schema } from '../../src/component/schema.js';
import { httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address that accepts the points.',
    format: 'url',
    default: 'http://localhost:8080',
  },
  method: { doc: 'Method of the requests.', format: ['POST', 'PUT', 'PATCH'], default: 'POST' },
  format: {
    doc: 'Whether a request is one JSON array of points (`json`) or one point per line (`ndjson`).',
    format: ['json', 'ndjson'],
    default: 'json',
  },
  content_type: {
    doc: 'Content-Type of the requests; unset: `application/json` or `application/x-ndjson`.',
    format: 'string',
    default: null,
  },
  ...httpExporterSettings,
} as const satisfies Schema;

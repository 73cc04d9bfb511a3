import type { Schema } from '../../src/component/schema.js';
import { httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'URL that accepts the points.',
    format: 'url',
    default: 'http://localhost:8080',
  },
  method: { doc: 'HTTP method of the requests.', format: ['POST', 'PUT', 'PATCH'], default: 'POST' },
  format: {
    doc: 'Content of a request. `json`: an array of points. `ndjson`: one point per line.',
    format: ['json', 'ndjson'],
    default: 'json',
  },
  content_type: {
    doc: 'Content-Type of the requests. Unset: `application/json` or `application/x-ndjson`.',
    format: 'string',
    default: null,
  },
  ...httpExporterSettings,
} as const satisfies Schema;

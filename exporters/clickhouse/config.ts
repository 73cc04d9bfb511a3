import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of the HTTP interface of the server.',
    format: 'url',
    default: 'http://localhost:8123',
  },
  database: { doc: 'Database of the tables.', format: 'string', default: 'joulemetry' },
  create_tables: {
    doc: 'Whether database, tables and view are created where they are missing. They are never changed.',
    format: 'boolean',
    default: true,
  },
  async_insert: {
    doc: 'Whether the server collects the points of several requests before it writes them, for many agents with small requests. A request that is sent again may then be written twice.',
    format: 'boolean',
    default: false,
  },
  ...httpExporterSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

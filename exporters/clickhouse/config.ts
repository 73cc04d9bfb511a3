import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: "Address of the server's HTTP interface.",
    format: 'url',
    default: 'http://localhost:8123',
  },
  database: { doc: 'Database that contains the tables.', format: 'string', default: 'joulemetry' },
  create_tables: {
    doc: 'Whether the database, the tables and the view are created if they are missing. Existing ones are never changed.',
    format: 'boolean',
    default: true,
  },
  async_insert: {
    doc: 'Whether the server collects the points of several requests before it writes them, which helps if many agents send small requests. A request that is sent again may then be stored twice.',
    format: 'boolean',
    default: false,
  },
  ...httpExporterSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

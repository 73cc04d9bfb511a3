import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkHttpExporterConfig, httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of a site, to which `/metrics` is appended.',
    format: 'url',
    default: 'https://api.grid5000.fr/stable/sites/lyon',
  },
  hostname: {
    doc: 'Name of this machine at the site, which becomes the device of the points. Unset: its host name up to the first dot.',
    format: 'string',
    default: null,
  },
  append_unit_to_metric_name: {
    doc: 'Whether the unit is appended to `metric_id`, as in `hw_energy_J`.',
    format: 'boolean',
    default: true,
  },
  ...httpExporterSettings,
  compression: {
    doc: 'How requests are compressed. The documentation of Kwollect does not mention compression.',
    format: ['none', 'gzip'],
    default: 'none',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

export const checkConfig: (config: Config) => string[] = checkHttpExporterConfig;

import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkHttpExporterConfig, httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of a site, to which `/metrics` is added.',
    format: 'url',
    default: 'https://api.grid5000.fr/stable/sites/lyon',
  },
  hostname: {
    doc: 'Device of the points, as the site names this machine. Unset: its name up to the first dot.',
    format: 'string',
    default: null,
  },
  append_unit_to_metric_name: {
    doc: 'Whether `metric_id` ends with the unit, as in `hw_energy_J`.',
    format: 'boolean',
    default: true,
  },
  ...httpExporterSettings,
  compression: {
    doc: 'How requests are compressed; the documentation of Kwollect mentions no compression.',
    format: ['none', 'gzip'],
    default: 'none',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

export const checkConfig: (config: Config) => string[] = checkHttpExporterConfig;

import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { appendPath } from '../../src/config/endpoint.js';
import { checkHttpExporterConfig, httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of InfluxDB, to which the path of the API is appended.',
    format: 'url',
    default: 'http://localhost:8086',
  },
  api: {
    doc: 'API to which points are written. `v2`: `/api/v2/write` of InfluxDB 2 and Cloud. `v3`: `/api/v3/write_lp` of InfluxDB 3. `v1`: `/write` of InfluxDB 1.',
    format: ['v2', 'v3', 'v1'],
    default: 'v2',
  },
  org: { doc: 'Name or id of the organisation. For v2 only.', format: 'string', default: null },
  bucket: { doc: 'Name of the bucket. For v2 only.', format: 'string', default: null },
  database: { doc: 'Name of the database. For v1 and v3 only.', format: 'string', default: null },
  ...httpExporterSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): string[] {
  return [...checkPlace(config), ...checkHttpExporterConfig(config)];
}

function checkPlace({ api, org, bucket, database }: Config): readonly string[] {
  if (api !== 'v2') return database === null ? [`database: expected one for api ${api}, found none`] : [];
  return Object.entries({ org, bucket }).flatMap(([name, value]) =>
    value === null ? [`${name}: expected one for api v2, found none`] : [],
  );
}

/** Where lines are written. */
export function createWriteUrl({ endpoint, api, org, bucket, database }: Config): URL {
  const paths = { v1: '/write', v2: '/api/v2/write', v3: '/api/v3/write_lp' } as const;
  const url = appendPath(endpoint, paths[api]);
  const place = api === 'v2' ? { org, bucket } : { db: database };
  for (const [name, value] of Object.entries(place)) url.searchParams.set(name, value ?? '');
  url.searchParams.set('precision', api === 'v3' ? 'nanosecond' : 'ns');
  return url;
}

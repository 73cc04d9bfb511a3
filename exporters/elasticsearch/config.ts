import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { checkHttpExporterConfig, httpExporterSettings } from '../../src/export/sending-settings.js';

export const schema = {
  endpoint: {
    doc: 'Address of a node of Elasticsearch or OpenSearch, with the path before `/_bulk` if there is one.',
    format: 'url',
    default: null,
  },
  endpoints: {
    doc: 'Addresses of several nodes, in place of `endpoint`. When one does not answer, the next is tried. If both settings are missing: `http://localhost:9200`.',
    format: 'string_list',
    default: [],
  },
  metrics_index: {
    doc: 'Data stream or index to which documents are added.',
    format: 'string',
    default: 'metrics-joulemetry-default',
  },
  pipeline: {
    doc: 'Ingest pipeline that processes the documents. Unset: none.',
    format: 'string',
    default: null,
  },
  create_index_template: {
    doc: 'Whether to create or replace the index template `joulemetry` before the first document is sent. It makes `metrics_index` a data stream with timestamps in nanoseconds, values as doubles and texts as keywords.',
    format: 'boolean',
    default: false,
  },
  user: { doc: 'User for HTTP basic authentication.', format: 'string', default: null },
  password: {
    doc: 'Password of that user, for example `${env:ELASTIC_PASSWORD}`. To read it from a file, use `credentials`.',
    format: 'string',
    default: null,
    sensitive: true,
  },
  api_key: {
    doc: 'API key in its encoded form, instead of a user. To read it from a file, use `credentials` with `scheme: ApiKey`.',
    format: 'string',
    default: null,
    sensitive: true,
  },
  ...httpExporterSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** The configured endpoints, or the default one. */
export function listEndpoints({ endpoint, endpoints }: Config): readonly string[] {
  if (endpoint !== null) return [endpoint];
  return endpoints.length > 0 ? endpoints : ['http://localhost:9200'];
}

/** Validates settings that depend on each other. */
export function checkConfig(config: Config): string[] {
  const { endpoint, endpoints, metrics_index: index } = config;
  const problems = checkHttpExporterConfig(config);
  if (endpoint !== null && endpoints.length > 0)
    problems.push('endpoint: expected endpoint or endpoints, found both');
  for (const [i, address] of endpoints.entries()) {
    if (!/^https?:$/u.test(URL.canParse(address) ? new URL(address).protocol : ''))
      problems.push(`endpoints[${i}]: expected an address that begins with http:// or https://`);
  }
  if (!/^[^A-Z\s"*+/\\|<>?,#:_-][^A-Z\s"*/\\|<>?,#:]*$/u.test(index)) {
    problems.push(
      `metrics_index: expected a name in small letters that Elasticsearch takes, found "${index}"`,
    );
  }
  return [...problems, ...checkLogin(config)];
}

function checkLogin({ user, password, api_key: key, credentials, headers }: Config): string[] {
  const problems: string[] = [];
  if ((user === null) !== (password === null)) {
    problems.push('user: expected user and password together, found only one of them');
  }
  const ways = [
    user !== null,
    key !== null,
    credentials.username !== null || credentials.bearer_token_file !== null,
    Object.keys(headers).some((name) => name.toLowerCase() === 'authorization'),
  ];
  if (ways.filter(Boolean).length > 1) {
    problems.push(
      'user: expected one of user, api_key, credentials and the header authorization, found several',
    );
  }
  return problems;
}

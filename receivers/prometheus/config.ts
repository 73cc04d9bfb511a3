import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { relabelActions } from './relabel.js';

const relabelSettings = {
  source_labels: {
    doc: 'Labels whose values are joined and compared with `regex`.',
    format: 'string_list',
    default: [],
  },
  separator: { doc: 'Separator between the joined values.', format: 'string', default: ';' },
  target_label: { doc: 'Label that gets the result.', format: 'string', default: null },
  regex: { doc: 'What the joined values must match, as a whole.', format: 'string', default: '(.*)' },
  modulus: { doc: 'For `hashmod`.', format: 'int', default: 0, min: 0 },
  replacement: {
    doc: 'The result, with `$1` for what a group matched; write `$$1` in a configuration file, where `$` alone begins a reference.',
    format: 'string',
    default: '$1',
  },
  action: { doc: 'What the rule does.', format: relabelActions, default: 'replace' },
} as const satisfies Schema;

const jobSettings = {
  job_name: { doc: 'Name of the job, the label `job` and `service.name`.', format: 'string', default: null },
  scrape_interval: {
    doc: 'Time between two scrapes; unset: that of `global`.',
    format: 'duration',
    default: null,
    min: 1,
  },
  scrape_timeout: {
    doc: 'How long a scrape may take; unset: that of `global`.',
    format: 'duration',
    default: null,
    min: 1,
  },
  metrics_path: { doc: 'Path of the metrics.', format: 'string', default: '/metrics' },
  scheme: { doc: 'Protocol.', format: ['http', 'https'], default: 'http' },
  params: { doc: 'Parameters of the URL, each with a list of values.', format: 'string_lists', default: {} },
  honor_labels: {
    doc: "Whether a sample's own labels replace the target's; otherwise they get the prefix `exported_`.",
    format: 'boolean',
    default: false,
  },
  honor_timestamps: {
    doc: 'Whether timestamps on the page are used for samples.',
    format: 'boolean',
    default: true,
  },
  static_configs: {
    doc: 'Targets that are listed here.',
    format: 'list',
    default: [],
    items: {
      targets: { doc: 'Hosts with ports, `node1:9100`.', format: 'string_list', default: [] },
      labels: { doc: 'Labels of all their samples.', format: 'string_map', default: {} },
    },
  },
  file_sd_configs: {
    doc: 'Targets that are listed in files, in YAML or JSON; read again when they change.',
    format: 'list',
    default: [],
    items: {
      files: { doc: 'Paths; the last part may have a `*`.', format: 'string_list', default: [] },
      refresh_interval: {
        doc: 'Maximum time between two checks of the files, which are checked at least every 5 s.',
        format: 'duration',
        default: '5m',
        min: 1,
      },
    },
  },
  basic_auth: {
    username: { doc: 'User for HTTP basic authentication.', format: 'string', default: null },
    password: { doc: 'Its password.', format: 'string', default: null, sensitive: true },
    password_file: {
      doc: 'File with the password; read again when it changes.',
      format: 'path',
      default: null,
    },
  },
  authorization: {
    type: { doc: 'Kind of the credentials.', format: 'string', default: 'Bearer' },
    credentials: {
      doc: 'Credentials after the type in the `Authorization` header.',
      format: 'string',
      default: null,
      sensitive: true,
    },
    credentials_file: {
      doc: 'File with the credentials; read again when it changes.',
      format: 'path',
      default: null,
    },
  },
  tls_config: {
    ca_file: {
      doc: "Certificates of the authorities that may have signed the target's, PEM.",
      format: 'path',
      default: null,
    },
    cert_file: {
      doc: 'Certificate with which this collector identifies itself, PEM.',
      format: 'path',
      default: null,
    },
    key_file: { doc: 'Key of that certificate, PEM.', format: 'path', default: null },
    server_name: { doc: "Name that the target's certificate must have.", format: 'string', default: null },
    insecure_skip_verify: {
      doc: 'Accept any certificate; logs a warning.',
      format: 'boolean',
      default: false,
    },
  },
  follow_redirects: { doc: 'Whether redirects are followed, ten at most.', format: 'boolean', default: true },
  proxy_url: {
    doc: 'Proxy for all requests; unset: that of HTTPS_PROXY or HTTP_PROXY, by the rules of NO_PROXY.',
    format: 'url',
    default: null,
  },
  enable_compression: { doc: 'Whether pages may be compressed with gzip.', format: 'boolean', default: true },
  fallback_scrape_protocol: {
    doc: 'Format of pages with an unknown Content-Type.',
    format: ['PrometheusText0.0.4', 'PrometheusText1.0.0', 'OpenMetricsText0.0.1', 'OpenMetricsText1.0.0'],
    default: null,
  },
  use_start_time_metric: {
    doc: 'Whether `process_start_time_seconds` is the start of counters for which the page gives none.',
    format: 'boolean',
    default: false,
  },
  split_histograms: {
    doc: 'Whether histograms are published as separate counters: `_bucket` with the attribute `le`, `_sum` and `_count`.',
    format: 'boolean',
    default: false,
  },
  body_size_limit: { doc: 'Largest page, decompressed; 0: 256 MiB.', format: 'byte_size', default: 0 },
  sample_limit: { doc: 'Maximum samples after relabelling; 0: no limit.', format: 'int', default: 0, min: 0 },
  label_limit: { doc: 'Maximum labels of a sample; 0: no limit.', format: 'int', default: 0, min: 0 },
  label_name_length_limit: {
    doc: 'Longest name of a label; 0: no limit.',
    format: 'int',
    default: 0,
    min: 0,
  },
  label_value_length_limit: {
    doc: 'Longest value of a label; 0: no limit.',
    format: 'int',
    default: 0,
    min: 0,
  },
  relabel_configs: {
    doc: 'Rules that change the labels of targets before they are scraped.',
    format: 'list',
    items: relabelSettings,
    default: [],
  },
  metric_relabel_configs: {
    doc: 'Rules that change the labels of samples; the name is `__name__`.',
    format: 'list',
    items: relabelSettings,
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  config: {
    global: {
      scrape_interval: {
        doc: 'Time between two scrapes, at multiples of itself on the wall clock.',
        format: 'duration',
        default: '1m',
        min: 1,
      },
      scrape_timeout: {
        doc: 'How long a scrape may take; never longer than its interval.',
        format: 'duration',
        default: '10s',
        min: 1,
      },
      external_labels: {
        doc: 'Labels of all samples that do not have them.',
        format: 'string_map',
        default: {},
      },
    },
    scrape_configs: {
      doc: 'Jobs: groups of targets with the same settings.',
      format: 'list',
      items: jobSettings,
      default: [],
    },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type JobConfig = Config['config']['scrape_configs'][number];

import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { relabelActions } from './relabel.js';

const relabelSettings = {
  source_labels: {
    doc: 'Labels whose values are joined and matched against `regex`.',
    format: 'string_list',
    default: [],
  },
  separator: { doc: 'Text between the joined values.', format: 'string', default: ';' },
  target_label: { doc: 'Label that is set to the result.', format: 'string', default: null },
  regex: {
    doc: 'Regular expression that must match the joined values as a whole.',
    format: 'string',
    default: '(.*)',
  },
  modulus: {
    doc: 'For `hashmod`: the result is the remainder of the hash of the joined values divided by this number.',
    format: 'int',
    default: 0,
    min: 0,
  },
  replacement: {
    doc: 'The result; `$1` stands for what the first group of `regex` matched. Write it as `$$1` in a configuration file, where a single `$` begins a reference.',
    format: 'string',
    default: '$1',
  },
  action: { doc: 'What the rule does, as in Prometheus.', format: relabelActions, default: 'replace' },
} as const satisfies Schema;

const jobSettings = {
  job_name: {
    doc: 'Name of the job, which becomes the label `job` and `service.name`.',
    format: 'string',
    default: null,
  },
  scrape_interval: {
    doc: 'Time between two scrapes. Unset: that of `global`.',
    format: 'duration',
    default: null,
    min: 1,
  },
  scrape_timeout: {
    doc: 'Maximum duration of a scrape. Unset: that of `global`.',
    format: 'duration',
    default: null,
    min: 1,
  },
  metrics_path: { doc: 'URL path of the metrics.', format: 'string', default: '/metrics' },
  scheme: {
    doc: 'Whether targets are scraped over HTTP or HTTPS.',
    format: ['http', 'https'],
    default: 'http',
  },
  params: {
    doc: 'Query parameters of the URL, each with a list of values.',
    format: 'string_lists',
    default: {},
  },
  honor_labels: {
    doc: 'Whether labels of a sample replace labels of the target with the same name. Otherwise they get the prefix `exported_`.',
    format: 'boolean',
    default: false,
  },
  honor_timestamps: {
    doc: 'Whether samples keep the timestamps on the page. Otherwise they get the time of the scrape.',
    format: 'boolean',
    default: true,
  },
  static_configs: {
    doc: 'Targets that are listed here.',
    format: 'list',
    default: [],
    items: {
      targets: { doc: 'Targets as `host:port`, such as `node1:9100`.', format: 'string_list', default: [] },
      labels: {
        doc: 'Labels that are added to all samples of these targets.',
        format: 'string_map',
        default: {},
      },
    },
  },
  file_sd_configs: {
    doc: 'Targets that are listed in files, in YAML or JSON; read again when they change.',
    format: 'list',
    default: [],
    items: {
      files: {
        doc: 'Paths of the files. The file name may contain a `*`.',
        format: 'string_list',
        default: [],
      },
      refresh_interval: {
        doc: 'Time between two checks of the files. More than 5s counts as 5s.',
        format: 'duration',
        default: '5m',
        min: 1,
      },
    },
  },
  basic_auth: {
    username: { doc: 'User for HTTP basic authentication.', format: 'string', default: null },
    password: { doc: 'Password of that user.', format: 'string', default: null, sensitive: true },
    password_file: {
      doc: 'File with the password of that user; read again when it changes.',
      format: 'path',
      reads: 'secret',
      default: null,
    },
  },
  authorization: {
    type: {
      doc: 'Word before the credentials in the `Authorization` header.',
      format: 'string',
      default: 'Bearer',
    },
    credentials: {
      doc: 'Credentials in the `Authorization` header, after the type.',
      format: 'string',
      default: null,
      sensitive: true,
    },
    credentials_file: {
      doc: 'File with the credentials; read again when it changes.',
      format: 'path',
      reads: 'secret',
      default: null,
    },
  },
  tls_config: {
    ca_file: {
      doc: "Certificates of the authorities that are trusted to sign the target's certificate, PEM. Unset: the public authorities that Node trusts.",
      format: 'path',
      reads: 'certificates',
      default: null,
    },
    cert_file: {
      doc: 'Certificate with which this collector identifies itself to the server, PEM.',
      format: 'path',
      reads: 'certificates',
      default: null,
    },
    key_file: { doc: 'Key of that certificate, PEM.', format: 'path', reads: 'private_key', default: null },
    server_name: {
      doc: "Name that the target's certificate must have, if it is not the target's host.",
      format: 'string',
      default: null,
    },
    insecure_skip_verify: {
      doc: 'Whether to accept any certificate of the target. A warning is logged.',
      format: 'boolean',
      default: false,
    },
  },
  follow_redirects: { doc: 'Whether redirects are followed, ten at most.', format: 'boolean', default: true },
  proxy_url: {
    doc: 'Proxy for all requests, `http://` or `https://`, with user and password if it requires them. Unset: the proxy in HTTPS_PROXY or HTTP_PROXY, with the exceptions in NO_PROXY.',
    format: 'url',
    default: null,
  },
  enable_compression: { doc: 'Whether pages may be compressed with gzip.', format: 'boolean', default: true },
  fallback_scrape_protocol: {
    doc: 'Format of pages whose Content-Type is missing or unknown. Unset: such pages are not read.',
    format: ['PrometheusText0.0.4', 'PrometheusText1.0.0', 'OpenMetricsText0.0.1', 'OpenMetricsText1.0.0'],
    default: null,
  },
  use_start_time_metric: {
    doc: 'Whether `process_start_time_seconds` is used as the start time of counters for which the page gives none.',
    format: 'boolean',
    default: false,
  },
  split_histograms: {
    doc: 'Whether histograms are published as separate counters: `_bucket` with the attribute `le`, `_sum` and `_count`.',
    format: 'boolean',
    default: false,
  },
  body_size_limit: {
    doc: 'Maximum size of a page after decompression; 0: 256 MiB. A larger page is a failed scrape.',
    format: 'byte_size',
    default: 0,
  },
  sample_limit: {
    doc: 'Maximum number of samples of a page after relabelling; 0: no limit. More are a failed scrape.',
    format: 'int',
    default: 0,
    min: 0,
  },
  label_limit: {
    doc: 'Maximum number of labels of a sample; 0: no limit. More are a failed scrape.',
    format: 'int',
    default: 0,
    min: 0,
  },
  label_name_length_limit: {
    doc: 'Maximum length of the name of a label, in characters; 0: no limit. A longer one is a failed scrape.',
    format: 'int',
    default: 0,
    min: 0,
  },
  label_value_length_limit: {
    doc: 'Maximum length of the value of a label, in characters; 0: no limit. A longer one is a failed scrape.',
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
    doc: 'Rules that change the labels of samples. The label `__name__` is the name of the metric.',
    format: 'list',
    items: relabelSettings,
    default: [],
  },
} as const satisfies Schema;

export const schema = {
  config: {
    global: {
      scrape_interval: {
        doc: 'Time between two scrapes, which start at multiples of it on the wall clock.',
        format: 'duration',
        default: '1m',
        min: 1,
      },
      scrape_timeout: {
        doc: 'Maximum duration of a scrape. It also ends when the next one is due.',
        format: 'duration',
        default: '10s',
        min: 1,
      },
      external_labels: {
        doc: 'Labels that are added to all samples that do not have them.',
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

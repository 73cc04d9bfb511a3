import { testExamples, type Example } from './collector-example.fixture.js';

/** The metrics examples in the documentation of the Collector's processors, except filter. */
const examples: readonly Example[] = [
  {
    what: 'insert, update, upsert, delete and hash',
    id: 'attributes/example',
    settings: `
    actions:
      - {key: db.table, action: delete}
      - {key: redacted_span, value: true, action: upsert}
      - {key: copy_key, from_attribute: key_original, action: update}
      - {key: account_id, value: 2245, action: insert}
      - {key: account_password, action: delete}
      - {key: account_email, action: hash}`,
  },
  {
    what: 'convert',
    id: 'attributes/convert',
    settings: `
    actions: [{key: http.status_code, action: convert, converted_type: int}]`,
    refusals: [
      /converted_type: unknown setting; remove it: .*\n.*action: expected one of .*, found the text "convert"; remove the action/u,
    ],
  },
  {
    what: 'extract',
    id: 'attributes/extract',
    settings: `
    actions: [{key: http.url, action: extract, pattern: '^(?P<http_protocol>.*):'}]`,
    refusals: [
      /pattern: unknown setting; .*\n.*action: expected one of .*, found the text "extract"; set the attribute where it comes from/u,
    ],
  },
  {
    what: 'a pattern',
    id: 'attributes/pattern',
    settings: `
    actions: [{pattern: '^user', action: delete}]`,
    refusals: [/pattern: unknown setting; write an action with "key" for each attribute/u],
  },
  {
    what: 'default values and values of requests',
    id: 'attributes/default',
    settings: `
    actions:
      - {key: region, from_attribute: cloud.region, default_value: us-east-1, action: insert}
      - {key: tenant_id, from_context: metadata.tenant, action: upsert}`,
    refusals: [
      /default_value: unknown setting; write a second action, "insert", with "value"/u,
      /from_context: unknown setting; use "from_attribute" or "value"/u,
    ],
  },
  {
    what: 'include and exclude',
    id: 'attributes/selective',
    settings: `
    include: {match_type: strict, metric_names: [a]}
    exclude: {match_type: regexp, resources: [{key: host.name, value: a.*}]}
    actions: [{key: a, action: delete}]`,
    refusals: [
      /\.include: unknown setting; use "metrics_transform"/u,
      /\.exclude: unknown setting; use "metrics_transform"/u,
    ],
  },
  {
    what: 'actions on resources',
    id: 'resource',
    settings: `
    attributes:
      - {key: cloud.availability_zone, value: zone-1, action: upsert}
      - {key: k8s.cluster.name, from_attribute: k8s-cluster, action: insert}
      - {key: redundant-attribute, action: delete}`,
  },
  {
    what: 'names',
    id: 'cumulativetodelta',
    settings: `
    include: {metrics: [metric_1_name, metric_2_name], match_type: strict}`,
  },
  ...[
    ['names', 'include: {metrics: [metric_1_name, metric_2_name], match_type: strict}'],
    ['patterns', 'include: {metrics: [".*metric.*"], match_type: regexp}'],
    ['excluded patterns', 'exclude: {metrics: [".*metric.*"], match_type: regexp}'],
    ['kinds', 'include: {metric_types: [sum]}'],
    ['its other settings', 'max_staleness: 0\n    initial_value: auto'],
  ].map(([what = '', settings = '']) => ({ what, id: 'cumulative_to_delta', settings: `\n    ${settings}` })),
  { what: 'nothing', id: 'cumulative_to_delta', settings: '' },
  {
    what: 'kinds with histograms',
    id: 'cumulative_to_delta',
    settings: `
    include: {metric_types: [sum, histogram]}`,
    refusals: [/expected sum, found "histogram"; histograms are always cumulative here/u],
  },
  {
    what: 'a match without names',
    id: 'cumulativetodelta/missing_name',
    settings: '\n    include: {match_type: strict, metrics: }',
    refusals: [/include: expected metrics or metric_types, found neither/u],
  },
  {
    what: 'names without a match type',
    id: 'cumulativetodelta/missing_match_type',
    settings: '\n    include: {metrics: [metric1, metric2]}',
    refusals: [/include\.match_type: expected strict or regexp, found none/u],
  },
  {
    what: 'names as in earlier versions',
    id: 'cumulative_to_delta',
    settings: '\n    metrics: [metric_1_name, metric_2_name]\n    max_stale: 0',
    refusals: [
      /max_stale: unknown setting; use "max_staleness"/u,
      /metrics: unknown setting; use "include"/u,
    ],
  },
  {
    what: 'the environment',
    id: 'resource_detection/env',
    settings: '\n    detectors: [env]\n    timeout: 2s\n    override: false',
    refusals: [/use "resource", whose "detectors" are env, host and os/u],
  },
  {
    what: 'a pattern that is no regular expression',
    id: 'cumulative_to_delta',
    settings: `
    include: {metrics: ["*metric*"], match_type: regexp}`,
    refusals: [/expected a regular expression, found "\*metric\*"/u],
  },
  {
    what: 'its limits',
    id: 'deltatocumulative',
    settings: '\n    max_stale: 5m\n    max_streams: 0',
  },
  {
    what: 'its limits',
    id: 'delta_to_cumulative',
    settings: '\n    max_stale: 5m\n    max_streams: 9223372036854775807',
  },
  {
    what: 'keys',
    id: 'groupbyattrs',
    settings: '\n    keys: [foo, bar]',
  },
  { what: 'keys', id: 'group_by_attributes', settings: '\n    keys: [foo, bar]' },
  { what: 'no keys, to compact', id: 'group_by_attributes/compaction', settings: '' },
  {
    what: 'the interval and what passes',
    id: 'interval',
    settings: '\n    interval: 60s\n    pass_through: {gauge: false, summary: false}',
  },
  { what: 'nothing', id: 'batch', settings: '' },
  { what: 'a maximum size', id: 'batch', settings: '\n    send_batch_max_size: 10000\n    timeout: 0s' },
  { what: 'sizes', id: 'batch/2', settings: '\n    send_batch_size: 10000\n    timeout: 10s' },
  {
    what: 'metadata',
    id: 'batch/metadata',
    settings:
      '\n    metadata_keys: [tenant_id]\n    metadata_cardinality_limit: 10\n    send_batch_max_size: 0',
  },
  {
    what: 'a limit',
    id: 'memory_limiter',
    settings: '\n    check_interval: 1s\n    limit_mib: 4000\n    spike_limit_mib: 800',
  },
  {
    what: 'times between garbage collections',
    id: 'memory_limiter',
    settings:
      '\n    limit_mib: 4000\n    min_gc_interval_when_hard_limited: 5s\n    min_gc_interval_when_soft_limited: 10s',
    refusals: [
      /min_gc_interval_when_soft_limited: unknown setting; remove it: garbage collection is forced/u,
    ],
  },
  {
    what: 'limits of the back-off of garbage collection',
    id: 'memory_limiter',
    settings:
      '\n    limit_mib: 4000\n    max_gc_interval_when_soft_limited: 30s\n    max_gc_interval_when_hard_limited: 30s',
    refusals: [
      /max_gc_interval_when_soft_limited: unknown setting; remove it: garbage collection is forced/u,
      /max_gc_interval_when_hard_limited: unknown setting; use "min_gc_interval_when_hard_limited"/u,
    ],
  },
  {
    what: 'a share',
    id: 'memory_limiter',
    settings: '\n    check_interval: 1s\n    limit_percentage: 80\n    spike_limit_percentage: 15',
  },
  {
    what: 'a transform',
    id: 'metricstransform',
    settings: '\n    transforms: [{include: host.cpu.usage, action: insert, new_name: host.cpu.utilization}]',
  },
  {
    what: 'a transform',
    id: 'metrics_transform',
    settings: '\n    transforms: [{include: host.cpu.usage, action: insert, new_name: host.cpu.utilization}]',
  },
  {
    what: 'a median and a number of series',
    id: 'metricstransform',
    settings: `
    transforms:
      - {include: a.*, match_type: regexp, action: combine, new_name: b, aggregation_type: median}
      - {include: a, action: update, operations: [{action: aggregate_labels, label_set: [], aggregation_type: count}]}`,
    refusals: [
      /transforms\[0\]\.aggregation_type: expected one of .*, found the text "median"; use "aggregation" with the function p50/u,
      /operations\[0\]\.aggregation_type: expected one of .*, found the text "count"; use the query language/u,
    ],
  },
];

testExamples(examples);

/** The Collector's processors that have no settings in common with one of ours. */
const others: readonly (readonly [id: string, refusal: RegExp])[] = [
  ['metricsgeneration', /use "formula", which takes several inputs/u],
  ['metrics_generation', /use "formula"/u],
  ['deltatorate', /use "power"/u],
  ['k8sattributes', /use "workload_names"/u],
  ['k8s_attributes/names', /use "workload_names"/u],
  ['transform', /use "metrics_transform", "attributes" or "filter"/u],
  ['metricstarttime', /remove it: receivers set the start of every counter/u],
  ['metric_start_time', /remove it: receivers set the start/u],
  ['queuebatch', /remove it: every exporter has a queue, .* "sending_queue"/u],
  ['redaction', /use "attributes"/u],
  ['routing', /use "filter"/u],
  ['probabilistic_sampler', /remove it: there are metrics only/u],
  ['tail_sampling', /remove it: there are metrics only/u],
  ['groupbytrace', /remove it: there are metrics only/u],
  ['span', /remove it: there are metrics only/u],
];

testExamples(others.map(([id, refusal]) => ({ what: 'its name', id, settings: ' {}', refusals: [refusal] })));

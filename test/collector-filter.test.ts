import { testExamples, type Example } from './collector-example.fixture.js';

/** The metrics examples in the documentation of the Collector's processor filter. */
const examples: readonly Example[] = [
  {
    what: 'resource attributes, in capitals',
    id: 'filter/1',
    settings: `
    metrics:
      include:
        match_type: regexp
        metric_names: [prefix/.*, prefix_.*]
        resource_attributes: [{Key: container.name, Value: app_container_1}]
      exclude: {match_type: strict, metric_names: [hello_world, hello/world]}`,
    refusals: [/Key: unknown setting, did you mean "key"/u, /Value: unknown setting, did you mean "value"/u],
  },
  {
    what: 'names and resource attributes',
    id: 'filter',
    settings: `
    metrics:
      exclude:
        match_type: regexp
        metric_names: [hello_world, hello/world]
        resource_attributes: [{key: container.name, value: (app_container_1|app_container_2)}]`,
  },
  {
    what: 'expressions of the language expr',
    id: 'filter/expr',
    settings: `
    metrics:
      exclude: {match_type: expr, expressions: ['MetricName == "my.metric" && Label("my_label") == "abc123"']}`,
    refusals: [/use "metric_conditions"/u],
  },
  {
    what: 'conditions of OTTL on metrics and points',
    id: 'filter/ottl',
    settings: `
    error_mode: ignore
    metrics:
      metric:
        - 'name == "my.metric" and resource.attributes["my_label"] == "abc123"'
        - 'type == METRIC_DATA_TYPE_HISTOGRAM'
      datapoint:
        - 'metric.type == METRIC_DATA_TYPE_SUMMARY'
        - 'resource.attributes["service.name"] == "my_service_name"'`,
  },
  {
    what: 'conditions whose paths name their context',
    id: 'filter/inferred',
    settings: `
    error_mode: ignore
    metric_conditions:
      - 'metric.name == "my.metric" and resource.attributes["my_label"] == "abc123"'
      - 'metric.type == METRIC_DATA_TYPE_HISTOGRAM'
      - 'metric.type == METRIC_DATA_TYPE_NONE'
      - 'IsMatch(resource.attributes["k8s.pod.name"], "my-pod-name.*")'
      - 'datapoint.attributes["http.method"] != nil'`,
  },
  {
    what: 'a group of conditions with an error mode of its own',
    id: 'filter/groups',
    settings: `
    metric_conditions:
      - error_mode: silent
        conditions: ['resource.attributes["service.name"] == "noisy-service"']`,
  },
  {
    what: 'a group with an unknown key',
    id: 'filter/groups',
    settings: `
    metric_conditions: [{conditions: ['metric.name == "a"'], mode: silent}]`,
    refusals: [
      /metric_conditions: expected a list of texts, or of groups of them with the key "conditions"/u,
    ],
  },
  {
    what: 'groups with error modes of their own, among other conditions',
    id: 'filter/mixed',
    settings: `
    error_mode: ignore
    metric_conditions:
      - error_mode: propagate
        conditions: ['metric.name == "a"', 'datapoint.attributes["b"] == "c"']
      - 'IsMatch(metric.name, "noisy.*")'
      - context: resource
        conditions: ['resource.attributes["service.name"] == "noisy-service"']`,
  },
  {
    what: 'conditions of other signals, and on values',
    id: 'filter/signals',
    settings: `
    trace_conditions: ['span.name == "app_3"']
    log_conditions: ['log.severity_number < SEVERITY_NUMBER_WARN']
    profile_conditions: ['profile.duration_unix_nano > 3000']`,
    refusals: [
      /trace_conditions: .*remove it: there are metrics only/u,
      /log_conditions: .*remove it/u,
      /profile_conditions: .*remove it/u,
    ],
  },
  {
    what: 'a condition on values whose path names its context',
    id: 'filter/value',
    settings: `
    metric_conditions: ['metric.name == "k8s.pod.phase" and datapoint.value_int == 4']`,
    refusals: [/metric_conditions\[0\]: .*remove it: series are dropped/u],
  },
  {
    what: 'a condition on resources',
    id: 'filter/resources',
    settings: `
    metrics: {resource: ['attributes["host.name"] == "localhost"', 'IsMatch(attributes["service.name"], "noisy.*")']}`,
  },
  {
    what: 'a single resource attribute',
    id: 'filter/resource',
    settings: `
    error_mode: ignore
    metrics:
      datapoint:
        - 'resource.attributes["host.name"] == "localhost"'
        - 'IsMatch(metric.name, ".*my_name.*")'`,
  },
  {
    what: 'logs and spans',
    id: 'filter/2',
    settings: `
    logs: {include: {match_type: strict, resource_attributes: [{Key: host.name, Value: just_this_one_hostname}]}}
    spans: {include: {match_type: strict, services: [app_3]}}`,
    refusals: [/\.logs: .*remove it: there are metrics only/u, /\.spans: .*remove it/u],
  },
  {
    what: 'values and attributes of points',
    id: 'filter',
    settings: `
    metrics:
      metric: ['HasAttrKeyOnDatapoint("http.method")', 'name == "k8s.pod.phase" and value_int == 4']`,
    refusals: [
      /metric\[0\]: .*write a rule of "exclude" instead\n.*metric\[1\]: .*remove it: series are dropped/u,
    ],
  },
];

testExamples(examples);

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import type { Attributes, Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { factory } from './factory.js';

function seriesOf(name: string, resource: Attributes = {}, attributes: Attributes = {}): Series {
  const metric = { name, unit: 'By', description: '', kind: 'gauge', valueType: 'double' } as const;
  return { metric, resource: { attributes: resource }, attributes, start: 0n };
}

/** The places of the series that pass. */
function filterSeries(settings: unknown, series: readonly Series[]): readonly number[] {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, settings);
  assert.deepEqual(factory.check?.(config), []);
  factory
    .create(config, createFakeContext(), next)
    .consume(createRow(series, 1n, Float64Array.from(series.keys())));
  return [...(next.tables[0]?.values ?? [])];
}

const container = (name: string): Attributes => ({ 'container.name': name });

/** Configurations of the Collector's documentation, and what passes them of series. */
const examples = [
  {
    name: 'include by regexp, exclude by strict names',
    metrics: {
      include: {
        match_type: 'regexp',
        metric_names: ['prefix/.*', 'prefix_.*'],
        resource_attributes: [{ key: 'container.name', value: 'app_container_1' }],
      },
      exclude: { match_type: 'strict', metric_names: ['hello_world', 'prefix/world'] },
    },
    series: [
      seriesOf('prefix/a', container('app_container_1')),
      seriesOf('prefix/world', container('app_container_1')),
      seriesOf('prefix_a', container('app_container_2')),
      seriesOf('a_prefix_b', container('x_app_container_1')),
    ],
    passing: [0, 3],
  },
  {
    name: 'exclude by resource attributes with regexp',
    metrics: {
      exclude: {
        match_type: 'regexp',
        metric_names: ['hello_world', 'hello/world'],
        resource_attributes: [{ key: 'container.name', value: '(app_container_1|app_container_2)' }],
      },
    },
    series: [
      seriesOf('hello_world', container('app_container_2')),
      seriesOf('hello_world', container('other')),
      seriesOf('other', container('app_container_1')),
    ],
    passing: [1, 2],
  },
  {
    name: 'only resource attributes',
    metrics: {
      include: { match_type: 'strict', resource_attributes: [{ key: 'container.name', value: 'a' }] },
    },
    series: [seriesOf('x', container('a')), seriesOf('x', container('aa')), seriesOf('x')],
    passing: [0],
  },
  {
    name: 'conditions on metrics and data points',
    metrics: {
      metric: ['name == "my.metric" and resource.attributes["my_label"] == "abc123"', 'unit != "By"'],
      datapoint: ['metric.name == "system.cpu.time" and attributes["state"] == "idle"'],
    },
    series: [
      seriesOf('my.metric', { my_label: 'abc123' }),
      seriesOf('my.metric', { my_label: 'other' }),
      seriesOf('system.cpu.time', {}, { state: 'idle' }),
      seriesOf('system.cpu.time', {}, { state: 'user' }),
    ],
    passing: [1, 3],
  },
  {
    name: 'IsMatch, not, or, parentheses, numbers and nil',
    metrics: {
      metric: ['not (IsMatch(name, "^sys") or attributes["cpu"] == 1) and attributes["cpu"] != nil'],
    },
    series: [
      seriesOf('system', {}, { cpu: 2 }),
      seriesOf('other', {}, { cpu: 1 }),
      seriesOf('other', {}, { cpu: 2 }),
      seriesOf('other'),
    ],
    passing: [0, 1, 3],
  },
  {
    name: 'true, escaped quotes, and a pattern for an attribute that is missing',
    metrics: {
      metric: ['attributes["on"] == true', 'attributes["text"] == "a\\"b"'],
      datapoint: ['IsMatch(attributes["text"], "undefined")'],
    },
    series: [
      seriesOf('a', {}, { on: true, text: '' }),
      seriesOf('a', {}, { on: false, text: '' }),
      seriesOf('a', {}, { text: 'a"b' }),
      seriesOf('a'),
    ],
    passing: [1, 3],
  },
  {
    name: 'names with the context in front',
    metrics: {
      datapoint: ['metric.unit == "By" and metric.description == "" and datapoint.attributes["a"] == 1'],
    },
    series: [seriesOf('a', {}, { a: 1 }), seriesOf('By', { a: 1 })],
    passing: [1],
  },
];

test("filter drops what the Collector's conditions name with their context, and metrics by their type", () => {
  const conditions = [
    'metric.name == "my.metric" and resource.attributes["my_label"] == "abc123"',
    'metric.type == METRIC_DATA_TYPE_SUM or metric.type == METRIC_DATA_TYPE_NONE',
    'datapoint.attributes["state"] == "idle"',
  ];
  const counter = seriesOf('counter');
  const series = [
    seriesOf('my.metric', { my_label: 'abc123' }),
    seriesOf('my.metric', { my_label: 'other' }),
    { ...counter, metric: { ...counter.metric, kind: 'counter' } as const },
    { ...counter, metric: { ...counter.metric, kind: 'updowncounter' } as const },
    seriesOf('other', {}, { state: 'idle' }),
    seriesOf('other', {}, { state: 'user' }),
  ];
  assert.deepEqual(filterSeries({ metric_conditions: conditions }, series), [1, 5]);
  const gauges = { metrics: { metric: ['type == METRIC_DATA_TYPE_GAUGE'] } };
  assert.deepEqual(filterSeries(gauges, series), [2, 3]);
});

test("filter reads attributes in the Collector's conditions on resources as those of the resource", () => {
  const metrics = { resource: ['attributes["host.name"] == "a"', 'IsMatch(attributes["os.type"], "^win")'] };
  const series = [
    seriesOf('x', { 'host.name': 'a' }),
    seriesOf('x', { 'host.name': 'b' }, { 'host.name': 'a' }),
    seriesOf('x', { 'os.type': 'windows' }),
  ];
  assert.deepEqual(filterSeries({ metrics }, series), [1]);
  const config = parseSettings(factory.schema, { metrics: { resource: ['name == "x"'] } });
  assert.match(factory.check?.(config).join() ?? '', /metrics\.resource\[0\]: .*expected attributes/u);
});

for (const { name, metrics, series, passing } of examples) {
  test(`filter does as the Collector's configuration says: ${name}`, () => {
    assert.deepEqual(filterSeries({ error_mode: 'ignore', metrics }, series), passing);
  });
}

const other = 'write a rule of "exclude" instead';

/** What cannot be done here, and what to write instead. */
const refused = [
  [{ include: {} }, 'metrics.include.match_type: expected strict or regexp, found none'],
  [
    { exclude: { match_type: 'strict' } },
    'metrics.exclude: expected metric_names or resource_attributes, found none',
  ],
  [
    { include: { match_type: 'regexp', metric_names: ['(a'] } },
    'metrics.include: expected a regular expression, found "(a": Invalid regular expression: /(a/: Unterminated group',
  ],
  [
    { metric: ['aggregation_temporality == 1'] },
    `metrics.metric[0]: Cannot use the condition aggregation_temporality == 1: expected name, unit, type, attributes["..."], resource.attributes["..."] or IsMatch, found "aggregation_temporality"; ${other}`,
  ],
  [
    { datapoint: ['value_double > 3'] },
    `metrics.datapoint[0]: Cannot use the condition value_double > 3: expected name, unit, type, attributes["..."], resource.attributes["..."] or IsMatch, found "value_double"; remove it: series are dropped by name and attributes, not points by value`,
  ],
  [
    { metric: ['HasAttrKeyOnDatapoint("a")'] },
    `metrics.metric[0]: Cannot use the condition HasAttrKeyOnDatapoint("a"): expected name, unit, type, attributes["..."], resource.attributes["..."] or IsMatch, found "HasAttrKeyOnDatapoint"; ${other}`,
  ],
  [
    { metric: ['name == "a" or'] },
    `metrics.metric[0]: Cannot use the condition name == "a" or: expected a name, an attribute or a value, found the end; ${other}`,
  ],
  [
    { metric: ['name == "a" "b"'] },
    `metrics.metric[0]: Cannot use the condition name == "a" "b": expected "and", "or" or the end, found "b"; ${other}`,
  ],
] as const;

for (const [metrics, problem] of refused) {
  test(`filter refuses with "${problem}"`, () => {
    assert.deepEqual(factory.check?.(parseSettings(factory.schema, { metrics })), [problem]);
  });
}

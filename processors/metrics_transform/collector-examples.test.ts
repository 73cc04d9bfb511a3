import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVersion } from '../../src/version.js';
import { checkSettings, createRig, describeLast, metricOf, seriesOf } from './rig.fixture.js';

const cpu = metricOf('system.cpu.usage', { unit: 's', kind: 'counter' });
const cpuInt = metricOf('system.cpu.usage', { unit: 's', kind: 'counter', valueType: 'int' });
const memory = metricOf('system.memory.usage', { unit: 'By', kind: 'updowncounter', valueType: 'int' });
const hostCpu = metricOf('host.cpu.usage');

const states = ['user', 'system', 'idle'].map((state, i) => seriesOf(cpu, { cpu: `cpu${i % 2}`, state }));
const slabs = ['slab_reclaimable', 'slab_unreclaimable', 'used'].map((state) => seriesOf(memory, { state }));
const containers = ['my_container', ''].map((container) => seriesOf(hostCpu, { container, pod: container }));
const requests = ['Delete', 'Get', 'Post'].map((method) =>
  seriesOf(metricOf(`Web Service (*)/Total ${method} Requests`, { kind: 'counter', unit: '{request}' })),
);
const version = `opentelemetry collector ${readVersion()}`;

/** The examples of the documentation of the Collector's metricstransform, one after another. */
const examples = [
  {
    name: 'Create a new metric from an existing metric',
    transform: { include: 'host.cpu.usage', action: 'insert', new_name: 'host.cpu.utilization' },
    series: containers.slice(0, 1),
    expected: [
      'host.cpu.usage{container=my_container,pod=my_container} 1',
      'host.cpu.utilization{container=my_container,pod=my_container} 1',
    ],
  },
  {
    name: 'Create a new metric from an existing metric with matching label values',
    transform: {
      include: 'host.cpu.usage',
      action: 'insert',
      new_name: 'host.cpu.utilization',
      match_type: 'strict',
      experimental_match_labels: { container: 'my_container' },
    },
    series: containers,
    expected: [
      'host.cpu.usage{container=my_container,pod=my_container} 1',
      'host.cpu.utilization{container=my_container,pod=my_container} 1',
      'host.cpu.usage{container=,pod=} 2',
    ],
  },
  {
    name: 'Create a new metric from an existing metric with matching label values with regexp',
    transform: {
      include: 'host.cpu.usage',
      action: 'insert',
      new_name: 'host.cpu.utilization',
      match_type: 'regexp',
      experimental_match_labels: { pod: '(.|\\s)*\\S(.|\\s)*' },
    },
    series: containers,
    expected: [
      'host.cpu.usage{container=my_container,pod=my_container} 1',
      'host.cpu.utilization{container=my_container,pod=my_container} 1',
      'host.cpu.usage{container=,pod=} 2',
    ],
  },
  {
    name: 'Rename metric',
    transform: { include: 'system.cpu.usage', action: 'update', new_name: 'system.cpu.usage_time' },
    series: states.slice(0, 1),
    expected: ['system.cpu.usage_time{cpu=cpu0,state=user} 1'],
  },
  {
    // Configurations write $$ for $.
    name: 'Rename multiple metrics using Substitution',
    transform: {
      include: '^system\\.cpu\\.(.*)$',
      match_type: 'regexp',
      action: 'update',
      new_name: 'system.processor.${1}.stat',
    },
    series: [...states.slice(0, 1), ...slabs.slice(0, 1)],
    expected: [
      'system.processor.usage.stat{cpu=cpu0,state=user} 1',
      'system.memory.usage{state=slab_reclaimable} 2',
    ],
  },
  {
    name: 'Add a label',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [
        { action: 'add_label', new_label: 'version', new_value: 'opentelemetry collector {{version}}' },
      ],
    },
    series: states.slice(0, 1),
    expected: [`system.cpu.usage{cpu=cpu0,state=user,version=${version}} 1`],
  },
  {
    name: 'Add a label to multiple metrics',
    transform: {
      include: '^system\\.',
      match_type: 'regexp',
      action: 'update',
      operations: [{ action: 'add_label', new_label: 'version', new_value: '{{version}}' }],
    },
    series: [...slabs.slice(0, 1), ...containers.slice(1)],
    expected: [
      `system.memory.usage{state=slab_reclaimable,version=${readVersion()}} 1`,
      'host.cpu.usage{container=,pod=} 2',
    ],
  },
  {
    name: 'Rename labels',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [{ action: 'update_label', label: 'state', new_label: 'cpu_state' }],
    },
    series: states.slice(0, 1),
    expected: ['system.cpu.usage{cpu=cpu0,cpu_state=user} 1'],
  },
  {
    name: 'Rename label values',
    transform: {
      include: 'system.memory.usage',
      action: 'update',
      operations: [
        {
          action: 'update_label',
          label: 'state',
          value_actions: [
            { value: 'slab_reclaimable', new_value: 'sreclaimable' },
            { value: 'slab_unreclaimable', new_value: 'sunreclaimable' },
          ],
        },
      ],
    },
    series: slabs,
    expected: [
      'system.memory.usage{state=sreclaimable} 1',
      'system.memory.usage{state=sunreclaimable} 2',
      'system.memory.usage{state=used} 3',
    ],
  },
  {
    name: 'Delete by label value',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [{ action: 'delete_label_value', label: 'state', label_value: 'idle' }],
    },
    series: states,
    expected: ['system.cpu.usage{cpu=cpu0,state=user} 1', 'system.cpu.usage{cpu=cpu1,state=system} 2'],
  },
  {
    name: 'Toggle datatype',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [{ action: 'toggle_scalar_data_type' }],
    },
    series: [seriesOf(cpuInt)],
    expected: ['system.cpu.usage{} 1'],
    valueType: 'double',
  },
  {
    name: 'Scale value',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [{ action: 'experimental_scale_value', experimental_scale: 1000 }],
    },
    series: states.slice(0, 1),
    expected: ['system.cpu.usage{cpu=cpu0,state=user} 1000'],
  },
  {
    name: 'Aggregate labels',
    transform: {
      include: 'system.cpu.usage',
      action: 'update',
      operations: [{ action: 'aggregate_labels', label_set: ['state'], aggregation_type: 'sum' }],
    },
    series: ['user', 'system', 'user'].map((state, i) => seriesOf(cpu, { cpu: `cpu${i}`, state })),
    expected: ['system.cpu.usage{state=user} 4', 'system.cpu.usage{state=system} 2'],
  },
  {
    name: 'Aggregate label values',
    transform: {
      include: 'system.memory.usage',
      action: 'update',
      operations: [
        {
          action: 'aggregate_label_values',
          label: 'state',
          aggregated_values: ['slab_reclaimable', 'slab_unreclaimable'],
          new_value: 'slab',
          aggregation_type: 'sum',
        },
      ],
    },
    series: slabs,
    expected: ['system.memory.usage{state=slab} 3', 'system.memory.usage{state=used} 3'],
  },
  {
    name: 'Combine metrics',
    transform: {
      include: '^Web Service \\(\\*\\)/Total (?P<http_method>.*) Requests$',
      match_type: 'regexp',
      action: 'combine',
      new_name: 'iis.requests',
      submatch_case: 'lower',
    },
    series: requests,
    expected: [
      'iis.requests{http_method=delete} 1',
      'iis.requests{http_method=get} 2',
      'iis.requests{http_method=post} 3',
    ],
  },
  {
    name: 'Group metrics',
    transform: {
      include: '^host\\.(.*)$',
      match_type: 'regexp',
      action: 'group',
      group_resource_labels: { 'resource.type': 'k8s.pod', source: 'kubelet' },
    },
    series: containers.slice(1),
    expected: ['host.cpu.usage{container=,pod=} 1'],
    resource: { 'host.name': 'node-1', 'resource.type': 'k8s.pod', source: 'kubelet' },
  },
] as const;

for (const { name, transform, series, expected, ...rest } of examples) {
  test(`metrics_transform does as the Collector's example "${name}" says`, () => {
    assert.deepEqual(checkSettings({ transforms: [transform] }), []);
    const { feed, next, log } = createRig({ transforms: [transform] });
    feed(
      series,
      1,
      Array.from(series.keys(), (i) => i + 1),
    );
    assert.deepEqual(describeLast(next.tables), expected);
    assert.deepEqual(log.lines, []);
    const [{ metric, resource }] = next.tables[0].series;
    if ('valueType' in rest) assert.equal(metric.valueType, rest.valueType);
    if ('resource' in rest) assert.deepEqual(resource.attributes, rest.resource);
  });
}

test('metrics_transform does what the full configuration of the Collector says, one transform after another', () => {
  const settings = {
    transforms: [
      {
        include: 'name1',
        match_type: 'strict',
        action: 'insert',
        new_name: 'new_name',
        operations: [{ action: 'add_label', new_label: 'my_label', new_value: 'my_value' }],
      },
      {
        include: 'new_name',
        action: 'insert',
        new_name: 'new_name_copy_1',
        match_type: 'strict',
        experimental_match_labels: { my_label: 'my_value' },
      },
      {
        include: 'new_name',
        action: 'insert',
        new_name: 'new_name_copy_2',
        match_type: 'regexp',
        experimental_match_labels: { my_label: '.*label' },
      },
      {
        include: 'name2',
        action: 'update',
        operations: [
          {
            action: 'update_label',
            label: 'label',
            new_label: 'new_label_key',
            value_actions: [{ value: 'label1', new_value: 'new_label1' }],
          },
          { action: 'aggregate_labels', label_set: ['new_label_key', 'label2'], aggregation_type: 'sum' },
          {
            action: 'aggregate_label_values',
            label: 'new_label_key',
            aggregated_values: ['value1', 'new_label1'],
            new_value: 'new_value',
            aggregation_type: 'sum',
          },
        ],
      },
      {
        include: 'name3',
        match_type: 'strict',
        action: 'update',
        operations: [{ action: 'delete_label_value', label: 'my_label', label_value: 'delete_me' }],
      },
      {
        include: '^regexp (?P<my_label>.*)$',
        match_type: 'regexp',
        action: 'combine',
        new_name: 'combined_metric_name',
        submatch_case: 'lower',
      },
    ],
  };
  assert.deepEqual(checkSettings(settings), []);
  const { feed, next } = createRig(settings);
  const [name2, name3] = [metricOf('name2'), metricOf('name3')];
  const series = [
    seriesOf(metricOf('name1')),
    seriesOf(name2, { label: 'label1', cpu: 0 }),
    seriesOf(name2, { label: 'value1', cpu: 1 }),
    seriesOf(name3, { my_label: 'delete_me' }),
    seriesOf(name3, { my_label: 'keep_me' }),
    seriesOf(metricOf('regexp ONE')),
  ];
  feed(series, 1, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(describeLast(next.tables), [
    'name1{} 1',
    'new_name{my_label=my_value} 1',
    'new_name_copy_1{my_label=my_value} 1',
    'name2{new_label_key=new_value} 5',
    'name3{my_label=keep_me} 5',
    'combined_metric_name{my_label=one} 6',
  ]);
});

/** What the Collector refuses, or does and cannot be done here, with what to write instead. */
const refused = [
  [{ action: 'update' }, 'transforms[0].include: expected the name of a metric, found none'],
  [{ include: 'a' }, 'transforms[0].action: expected update, insert, combine or group, found none'],
  [
    { include: 'a', action: 'insert' },
    'transforms[0].new_name: expected the name of the metric that "insert" adds, found none',
  ],
  [
    { include: 'a', action: 'combine' },
    'transforms[0].new_name: expected the name of the metric that "combine" adds, found none',
  ],
  [
    { include: 'a', action: 'group' },
    'transforms[0].group_resource_labels: expected attributes of the resource for "group", found none',
  ],
  [
    { include: '(a', match_type: 'regexp', action: 'update' },
    'transforms[0].include: expected a regular expression, found "(a": Invalid regular expression: /(a/: Unterminated group',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'update_label' }] },
    'transforms[0].operations[0].label: expected a value for "update_label", found none',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'add_label', new_label: 'b' }] },
    'transforms[0].operations[0].new_value: expected a value for "add_label", found none',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'experimental_scale_value' }] },
    'transforms[0].operations[0].experimental_scale: expected a value for "experimental_scale_value", found none',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [{ action: 'experimental_scale_value', experimental_scale: -1 }],
    },
    'transforms[0].operations[0].experimental_scale: expected more than 0, found -1',
  ],
  [
    { include: 'a', action: 'update', operations: [{ action: 'aggregate_labels', label_set: ['b'] }] },
    'transforms[0].operations[0].aggregation_type: expected a value for "aggregate_labels", found none',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [
        { action: 'aggregate_labels', label_set: ['b', 'c'], aggregation_type: 'sum' },
        { action: 'aggregate_labels', label_set: ['b'], aggregation_type: 'mean' },
      ],
    },
    'transforms[0]: expected one way to aggregate, found sum, mean; write a second transform, of the new name, for the next',
  ],
  [
    {
      include: 'a',
      action: 'update',
      operations: [
        { action: 'aggregate_labels', label_set: ['b'], aggregation_type: 'mean' },
        { action: 'toggle_scalar_data_type' },
      ],
    },
    'transforms[0].operations[1]: expected no toggle_scalar_data_type after a mean, which is a double, found one; write a second transform for it',
  ],
] as const;

for (const [transform, problem] of refused) {
  test(`metrics_transform refuses with "${problem}"`, () => {
    assert.deepEqual(checkSettings({ transforms: [transform] }), [problem]);
  });
}

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

/** The examples in the documentation of the Collector's metricstransform, in order. */
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
  test(`metrics_transform reproduces the Collector's example "${name}"`, () => {
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createPresetShapes, type PresetName } from './preset.js';

const resource: Attributes = {
  'host.name': 'n1',
  'process.pid': 7,
  'process.executable.name': 'train',
  'container.id': 'c0ffee',
  'k8s.pod.uid': 'a1',
  'k8s.pod.name': 'web-1',
  'k8s.namespace.name': 'shop',
  'linux.cgroup.path': '/shop',
};

/** The names, factors and labels that a preset gives to a series. */
function translate(preset: PresetName, name: string, attributes: Attributes, unit = '1') {
  const metric: Metric = { name, unit, description: '', kind: 'counter', valueType: 'double' };
  const series: Series = { metric, resource: { attributes: resource }, attributes, start: 0n };
  return createPresetShapes(preset)(series).map((shape) => {
    const { factor, metric: own, attributes: labels, isGrowth = false } = shape;
    return [own.name, { factor, isGrowth, ...labels }] as const;
  });
}

const gpu = { 'hw.type': 'gpu', 'hw.id': 'GPU-1', 'hw.name': 'H100' };
const onNode = { node_name: 'n1', gpu_uuid: 'GPU-1', gpu_name: 'H100' };
const asIs = { factor: 1, isGrowth: false };

test('the preset kepler divides the energy of GPUs into active and idle, and among processes, containers and pods', () => {
  for (const [part, name] of [
    ['attributed', 'kepler_node_gpu_active_joules_total'],
    ['unattributed', 'kepler_node_gpu_active_joules_total'],
    ['idle', 'kepler_node_gpu_idle_joules_total'],
  ] as const) {
    const found = translate('kepler', 'ledger.energy', { ...gpu, 'ledger.part': part }, 'J');
    assert.deepEqual(found, [[name, { ...asIs, ...onNode }]]);
  }
  for (const [from, name, labels] of [
    [
      'process.power',
      'kepler_process_gpu_watts',
      { pid: 7, comm: 'train', type: 'container', container_id: 'c0ffee' },
    ],
    [
      'container.power',
      'kepler_container_gpu_watts',
      { container_id: 'c0ffee', container_name: 'c0ffee', pod_id: 'a1' },
    ],
    ['k8s.pod.power', 'kepler_pod_gpu_watts', { pod_id: 'a1', pod_name: 'web-1', pod_namespace: 'shop' }],
  ] as const) {
    const [found] = translate('kepler', from, { 'hw.type': 'gpu' }, 'W');
    assert.deepEqual(found, [name, { ...asIs, ...labels, state: 'running', node_name: 'n1' }]);
  }
});

test('the preset kepler has the power of a meter of the host as that of the platform', () => {
  const meter = { 'hw.type': 'host', 'hw.id': 'psu-1', 'hw.name': 'PSU 1', 'energy.interface': 'redfish' };
  assert.deepEqual(translate('kepler', 'hw.host.power', meter, 'W'), [
    [
      'kepler_platform_watts',
      { ...asIs, source: 'redfish', node_name: 'n1', source_id: 'psu-1', source_name: 'PSU 1' },
    ],
  ]);
});

const machine = {
  resource_kind: 'local_machine',
  resource_id: '',
  resource_consumer_kind: 'local_machine',
  resource_consumer_id: '',
};
const onGpu = { ...machine, resource_kind: 'gpu', resource_id: 'GPU-1' };
const ofCgroup = { ...machine, resource_consumer_kind: 'cgroup', resource_consumer_id: '/shop' };

for (const [from, attributes, unit, name, expected] of [
  ['hw.temperature', gpu, 'Cel', 'nvml_temperature_gpu', { ...asIs, ...onGpu }],
  [
    'hw.gpu.utilization',
    { ...gpu, 'hw.gpu.task': 'general' },
    '1',
    'nvml_gpu_utilization',
    { ...asIs, factor: 100, ...onGpu },
  ],
  [
    'hw.gpu.utilization',
    { ...gpu, 'hw.gpu.task': 'memory' },
    '1',
    'nvml_memory_utilization',
    { ...asIs, factor: 100, ...onGpu },
  ],
  ['hw.gpu.memory.limit', gpu, 'By', 'nvml_gpu_memory_info', { ...asIs, ...onGpu, kind: 'total' }],
  [
    'hw.gpu.clock.frequency',
    { ...gpu, 'hw.gpu.clock.domain': 'sm' },
    'Hz',
    'nvml_clock_info',
    { ...asIs, ...onGpu, clock_type: 'SM' },
  ],
  [
    'hw.gpu.process.count',
    { ...gpu, 'hw.gpu.process.type': 'graphics' },
    '{process}',
    'nvml_n_graphic_processes',
    { ...asIs, ...onGpu },
  ],
  [
    'linux.cgroup.cpu.time',
    { 'cpu.mode': 'user' },
    's',
    'cpu_time_delta',
    { factor: 1e9, isGrowth: true, ...ofCgroup, kind: 'user' },
  ],
  ['linux.cgroup.memory.usage', {}, 'By', 'memory_usage', { ...asIs, ...ofCgroup }],
  [
    'linux.cgroup.memory.kind.usage',
    { 'linux.cgroup.memory.kind': 'pagetables' },
    'By',
    'cgroup_memory_pagetables',
    { ...asIs, ...ofCgroup },
  ],
  ['system.process.created', {}, '{process}', 'kernel_new_forks', { factor: 1, isGrowth: true, ...machine }],
  ['system.memory.usage', { 'system.memory.state': 'free' }, 'By', 'mem_free', { ...asIs, ...machine }],
  [
    'system.memory.linux.kind.usage',
    { 'system.memory.linux.kind': 'mapped' },
    'By',
    'mapped',
    { ...asIs, ...machine },
  ],
  [
    'system.network.io',
    { 'network.interface.name': 'eth0', 'network.io.direction': 'receive' },
    'By',
    'network_bytes',
    { factor: 1, isGrowth: true, ...machine, interface: 'eth0', direction: 'rx' },
  ],
] as const) {
  test(`the preset alumet translates ${from} to ${name}`, () => {
    assert.deepEqual(translate('alumet', from, attributes, unit), [[name, expected]]);
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkTables } from '../../src/model/check-tables.js';
import type { Attributes, Metric, Series } from '../../src/model/series.js';
import { createPresetShapes, type PresetName } from './preset.js';
import { createRig, packageOf } from './rig.fixture.js';

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

const ofProcess = { ...onGpu, resource_consumer_kind: 'process', resource_consumer_id: '7' };
const onScaphandre = {
  ...asIs,
  pid: 7,
  exe: 'train',
  cmdline: 'train',
  container_id: 'c0ffee',
  container_scheduler: 'kubernetes',
  kubernetes_pod_name: 'web-1',
  kubernetes_pod_namespace: 'shop',
};

for (const [from, attributes, unit, name, expected] of [
  [
    'process.disk.io',
    { 'disk.io.direction': 'read' },
    'By',
    'scaph_process_disk_total_read_bytes',
    onScaphandre,
  ],
  [
    'rapl.energy',
    { 'rapl.domain': 'core', 'hw.id': 'core-1', 'hw.parent': 'package-1' },
    'J',
    'scaph_domain_energy_microjoules',
    { ...asIs, factor: 1e6, domain_name: 'core', socket_id: '1' },
  ],
  [
    'rapl.energy',
    { 'rapl.domain': 'psys' },
    'J',
    'scaph_host_rapl_psys_microjoules',
    { ...asIs, factor: 1e6 },
  ],
  [
    'system.cpu.frequency',
    { 'cpu.logical_number': 3 },
    'Hz',
    'scaph_host_cpu_frequency',
    { ...asIs, factor: 1e-6 },
  ],
  [
    'process.cpu.utilization',
    {},
    '1',
    'scaph_process_cpu_usage_percentage',
    { ...onScaphandre, factor: 100 },
  ],
  ['system.memory.limit', {}, 'By', 'scaph_host_memory_total_bytes', asIs],
  ['system.paging.usage', { 'system.paging.state': 'used' }, 'By', 'scaph_host_swap_total_bytes', asIs],
  [
    'system.linux.thread.count',
    { 'system.linux.thread.state': 'blocked' },
    '{thread}',
    'scaph_processes_blocked_current',
    asIs,
  ],
] as const) {
  test(`the preset scaphandre translates ${from} to ${name}`, () => {
    assert.deepEqual(translate('scaphandre', from, attributes, unit)[0], [name, expected]);
  });
}

test('the preset scaphandre publishes counters without _total as up-down counters, and sums them as counters', () => {
  const { feed, next } = createRig({ preset: 'scaphandre' });
  const [first, second, after] = [
    packageOf('package-0'),
    packageOf('package-1'),
    packageOf('package-1', 15n),
  ];
  feed([first, second], 10, [5, 7]);
  feed([first, after], 20, [6, 1], [second]);
  const found = next.tables.flatMap(({ series, values }) =>
    series.flatMap(({ metric: { name, kind } }, column) =>
      name === 'scaph_host_energy_microjoules' ? [[kind, values[column]]] : [],
    ),
  );
  assert.deepEqual(found, [
    ['updowncounter', 12e6],
    ['updowncounter', 14e6],
  ]);
  checkTables(next.tables);
});

test('the preset kepler has the CPU time of containers, and the utilization of the node', () => {
  assert.deepEqual(translate('kepler', 'container.cpu.time', { 'cpu.mode': 'user' }, 's'), [
    [
      'kepler_container_cpu_seconds_total',
      {
        ...asIs,
        container_id: 'c0ffee',
        container_name: 'c0ffee',
        state: 'running',
        pod_id: 'a1',
        node_name: 'n1',
      },
    ],
  ]);
  const ratio = [['kepler_node_cpu_usage_ratio', { ...asIs, node_name: 'n1' }]];
  assert.deepEqual(translate('kepler', 'system.cpu.utilization', {}), ratio);
  const [[idle]] = translate('kepler', 'system.cpu.utilization', { 'cpu.mode': 'idle' });
  assert.equal(idle, 'system.cpu.utilization', 'not translated');
});

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
    'system.linux.thread.count',
    { 'system.linux.thread.state': 'running' },
    '{thread}',
    'kernel_n_procs_running',
    { ...asIs, ...machine },
  ],
  ['linux.cgroup.memory.limit', {}, 'By', 'memory_max', { ...asIs, ...ofCgroup }],
  [
    'linux.cgroup.paging.operations',
    { 'system.paging.direction': 'in' },
    '{operation}',
    'cgroup_pswpin',
    { ...asIs, ...ofCgroup },
  ],
  [
    'linux.cgroup.pressure.time',
    { 'system.linux.pressure.resource': 'io', 'system.linux.pressure.stall_type': 'full' },
    's',
    'io_pressure_full_total',
    { factor: 1e6, isGrowth: true, ...ofCgroup },
  ],
  [
    'process.gpu.utilization',
    { ...gpu, 'hw.gpu.task': 'general' },
    '1',
    'nvml_sm_utilization',
    { ...asIs, factor: 100, ...ofProcess },
  ],
  [
    'process.gpu.memory.usage',
    { ...gpu, 'hw.gpu.context': 'compute' },
    'By',
    'nvml_used_gpu_memory',
    { ...asIs, ...ofProcess, context: 'compute' },
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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkTables } from '../../src/model/check-tables.js';
import { h100, repeatGpu, uuid, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

test('nvml publishes the values of a GPU in SI units, under its UUID', { skip }, async (t) => {
  const rig = await startRig(t);
  assert.equal(rig.last('hw.gpu.power', { 'hw.gpu.power.window': 'instant' }), 72.442);
  assert.equal(rig.last('hw.gpu.power', { 'hw.gpu.power.window': '1s' }), 74.617);
  assert.equal(rig.last('hw.gpu.power.limit'), 700);
  assert.equal(rig.last('hw.gpu.memory.limit'), 85_520_809_984);
  assert.equal(rig.last('hw.gpu.memory.reserved'), 503_316_480);
  assert.equal(rig.last('hw.gpu.clock.frequency', { 'hw.gpu.clock.domain': 'memory' }), 2_619_000_000);
  assert.equal(rig.last('hw.temperature', { 'hw.sensor_location': 'memory' }), 37);
  assert.equal(rig.last('hw.temperature.limit', { 'hw.limit_type': 'high.critical' }), 95);
  assert.equal(rig.last('hw.gpu.performance_state'), 0);
  assert.equal(rig.last('hw.status', { 'hw.state': 'ok', 'hw.driver_version': '580.159.04' }), 1);
  const [{ series }] = rig.next.last('hw.energy');
  assert.deepEqual(series.attributes, {
    'hw.type': 'gpu',
    'hw.id': uuid,
    'hw.name': 'NVIDIA H100 80GB HBM3',
    'energy.method': 'measured',
    'energy.interface': 'nvml',
  });
  checkTables(rig.next.tables);
});

test('nvml publishes no sentinel as a value', { skip }, async (t) => {
  const sentinel = '0 4294967295';
  const rig = await startRig(t);
  await rig.readWith({
    '0.Field.186': `${sentinel} 1`,
    '0.UtilizationRates': '0 4294967295 101',
    '0.MemoryInfo': '0 18446744073709551615 0 18446744073709551615',
    '0.ClockInfo.1': sentinel,
    '0.Temperature.0': sentinel,
    '0.PerformanceState': '0 32',
    '0.TotalEnergyConsumption': '0 18446744073709551615',
  });
  const readings = rig.next.tables.findLast(({ series }) => series[0].metric.name === 'hw.energy');
  const gaps = (readings?.series ?? []).filter((_, i) => Number.isNaN(readings?.values[i]));
  assert.deepEqual(
    gaps.map(({ metric }) => metric.name),
    [
      'hw.energy',
      'hw.gpu.power',
      'hw.gpu.utilization',
      'hw.gpu.utilization',
      'hw.gpu.memory.limit',
      'hw.gpu.memory.usage',
      'hw.gpu.clock.frequency',
      'hw.temperature',
      'hw.gpu.performance_state',
    ],
  );
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2424875' });
  assert.equal(rig.last('hw.energy'), 1, 'the sentinel has left no trace');
});

test('nvml omits values that a GPU or its library lacks', { skip }, async (t) => {
  const { '*.TotalEccErrors.0': _, '*.TotalEccErrors.10': __, ...answers } = h100;
  const rig = await startRig(t, {
    answers,
    without: ['nvmlDeviceGetJpgUtilization', 'nvmlGpmQueryDeviceSupport'],
  });
  assert.equal(rig.last('hw.gpu.utilization', { 'hw.gpu.task': 'jpeg' }), undefined);
  assert.equal(rig.last('hw.gpu.utilization', { 'hw.gpu.task': 'ofa' }), 0);
  assert.equal(rig.last('hw.errors', { 'error.type': 'corrected' }), undefined);
  assert.equal(rig.last('hw.gpu.sm.utilization'), undefined);
  const lacks = rig.log.lines.find((line) => line.includes('lacks')) ?? '';
  assert.match(lacks, /jpeg utilization \(not in this version of the library\)/);
  assert.match(lacks, /corrected ECC errors \(not supported \(NVML 3\)\)/);
});

test('nvml publishes the increase of counters that started earlier', { skip }, async (t) => {
  const rig = await startRig(t, {
    answers: {
      ...h100,
      '*.TotalEccErrors.0': '0 7',
      '*.Field.74': '0 5000000000 3',
      '*.Field.138': '0 10 3',
    },
  });
  await rig.readWith({
    '0.TotalEccErrors.0': '0 9',
    '0.Field.74': '0 5500000000 3',
    '0.Field.138': '0 12 3',
  });
  assert.equal(rig.last('hw.errors', { 'error.type': 'corrected' }), 2);
  assert.equal(rig.last('hw.gpu.throttle.time', { 'hw.gpu.throttle.reason': 'sw_power_cap' }), 0.5);
  assert.equal(
    rig.last('hw.gpu.io', { 'hw.gpu.io.link': 'nvlink', 'network.io.direction': 'transmit' }),
    2048,
  );
  await rig.readWith({ '0.TotalEccErrors.0': '0 0' });
  await rig.readWith({ '0.TotalEccErrors.0': '0 1' });
  assert.equal(rig.last('hw.errors', { 'error.type': 'corrected' }), 1, 'the count was cleared');
  checkTables(rig.next.tables);
});

test('nvml reports each reason for reduced clocks', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.CurrentClocksEventReasons': `0 ${0x04 | 0x40}` });
  const active = rig.next.last('hw.gpu.throttled').filter(({ value }) => value === 1);
  assert.deepEqual(
    active.map(({ series }) => series.attributes['hw.gpu.throttle.reason']),
    ['sw_power_cap', 'hw_thermal_slowdown'],
  );
});

test('nvml reads eight GPUs, each with its own timestamp', { skip }, async (t) => {
  const rig = await startRig(t, { answers: repeatGpu(8) });
  await rig.readWith({ '5.TotalEnergyConsumption': '0 2433875' });
  const energies = rig.next.last('hw.energy');
  assert.deepEqual(
    energies.map(({ series, value }) => [series.attributes['hw.id'], value]),
    Array.from({ length: 8 }, (_, i) => [`GPU-${i}`, i === 5 ? 10 : 0]),
  );
});

test('nvml reads seven MIG instances as devices of their GPU', { skip }, async (t) => {
  const instances = Array.from({ length: 7 }, (_, i): [string, string][] => [
    [`0.MigDevice.${i}`, `0 ${100 + i}`],
    [`${100 + i}.UUID`, `0 MIG-${i}`],
    [`${100 + i}.Name`, '0 NVIDIA H100 80GB HBM3 MIG 1g.10gb'],
    [`${100 + i}.GpuInstanceId`, `0 ${7 + i}`],
    [`${100 + i}.MemoryInfo`, `0 10000000000 1000 ${i}`],
    [`0.Gpm.${7 + i}.2`, `0 ${10 * i}`],
  ]);
  const own = { '0.MigMode': '0 1 1', '0.MaxMigDeviceCount': '0 7', '0.UtilizationRates': '3' };
  const processes = { '103.ComputeRunningProcesses': `0 ${process.pid} 4096` };
  const rig = await startRig(t, {
    answers: { ...h100, ...own, ...processes, ...Object.fromEntries(instances.flat()) },
  });
  await sleep(120);
  await rig.read();
  assert.equal(rig.next.last('hw.energy').length, 1, 'energy is that of the GPU');
  const used = rig.next.last('hw.gpu.memory.usage').filter(({ series }) => 'hw.parent' in series.attributes);
  assert.deepEqual(
    used.map(({ series, value }) => [series.attributes['hw.id'], series.attributes['hw.parent'], value]),
    Array.from({ length: 7 }, (_, i) => [`MIG-${i}`, uuid, i]),
  );
  assert.equal(used[0].series.attributes['hw.name'], '1g.10gb');
  assert.equal(rig.last('hw.gpu.sm.utilization', { 'hw.id': 'MIG-4' }), 0.4);
  assert.equal(rig.last('process.gpu.memory.usage', { 'hw.id': 'MIG-3', 'process.pid': process.pid }), 4096);
  checkTables(rig.next.tables);
});

test('nvml does not hold the main thread, while calls block', { skip }, async (t) => {
  const rig = await startRig(t, {
    answers: {
      ...repeatGpu(4),
      'delay.TotalEnergyConsumption': '0 30000',
      'delay.ProcessUtilization': '0 30000',
    },
  });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const startedMs = performance.now();
  await rig.read();
  clearInterval(timer);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs >= 4 * 60, `four GPUs took ${tookMs} ms`);
  // A blocked main thread would have had no turns.
  assert.ok(turns >= 10, `${turns} turns in ${tookMs} ms`);
});

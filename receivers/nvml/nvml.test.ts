import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/contract/check-tables.js';
import { createFakeContext } from '../../src/contract/fakes.js';
import { countThreads } from '../../src/contract/open-resources.js';
import { createFolder } from '../../src/contract/temporary-folder.fixture.js';
import { until } from '../../src/contract/until.js';
import { buildNvml, h100, repeatGpu, withoutCompiler as skip, type Answers } from './fake-nvml.fixture.js';
import { factory } from './factory.js';
import { startRig } from './nvml.fixture.js';

const uuid = 'GPU-31540c43-32d7-2232-01e6-29329b4b1d56';

function probe(library: string) {
  return factory.probe(parseSettings(factory.schema, { library }), createFakeContext());
}

test('nvml publishes what a GPU says, in SI units, under its UUID', { skip }, async (t) => {
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

test('nvml counts the energy since its first reading', { skip }, async (t) => {
  const rig = await startRig(t);
  assert.equal(rig.last('hw.energy'), 0);
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2424975' });
  assert.equal(rig.last('hw.energy'), 1.1);
  await rig.readWith({ '0.TotalEnergyConsumption': '999' });
  assert.equal(rig.last('hw.energy'), NaN, 'a failed reading is a gap');
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2425975' });
  assert.equal(rig.last('hw.energy'), 2.1);
});

test('nvml counts from a reset on, when the energy counter falls', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2424875' });
  await rig.readWith({ '0.TotalEnergyConsumption': '0 500' });
  await rig.readWith({ '0.TotalEnergyConsumption': '0 1500' });
  const energies = rig.next.last('hw.energy');
  assert.deepEqual(
    energies.map(({ value }) => value),
    // A fall is believed once the counter goes on from there.
    [NaN, 1],
  );
  assert.ok(energies[1].series.start > energies[0].series.start);
  checkTables(rig.next.tables);
});

test('nvml takes no sentinel for a reading', { skip }, async (t) => {
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

test('nvml leaves out what a GPU or its library lacks', { skip }, async (t) => {
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

test('nvml integrates power, where a GPU has no energy counter', { skip }, async (t) => {
  const { '*.TotalEnergyConsumption': _, '*.Field.185': __, '*.Field.186': ___, ...answers } = h100;
  const rig = await startRig(t, { answers: { ...answers, '*.PowerUsage': '0 100000' } });
  const [{ series }] = rig.next.last('hw.energy');
  assert.equal(series.attributes['energy.interface'], 'nvml_power');
  assert.equal(series.attributes['hw.gpu.power.window'], '1s', 'a Hopper averages over a second');
  const joules = rig.last('hw.energy') ?? NaN;
  const first = rig.next.tables.findLast((table) => table.series.includes(series));
  await sleep(200);
  await rig.readWith({ '0.PowerUsage': '0 200000' });
  const last = rig.next.tables.findLast((table) => table.series.includes(series));
  const seconds = Number((last?.epoch ?? 0n) - (first?.epoch ?? 0n)) / 1e9;
  assert.ok(seconds >= 0.2);
  const grown = (rig.last('hw.energy') ?? NaN) - joules;
  assert.ok(Math.abs(grown - 150 * seconds) < 1, `${grown} J in ${seconds} s`);
});

for (const [architecture, capability, window] of [
  [7, '8 0', 'instant'],
  [7, '8 6', '1s'],
  [6, '7 5', 'instant'],
] as const) {
  test(`nvml says that the power of compute capability ${capability} is ${window}`, { skip }, async (t) => {
    const { '*.Field.185': _, '*.Field.186': __, ...answers } = h100;
    const own = { '*.Architecture': `0 ${architecture}`, '*.CudaComputeCapability': `0 ${capability}` };
    const rig = await startRig(t, { answers: { ...answers, ...own } });
    assert.equal(rig.last('hw.gpu.power', { 'hw.gpu.power.window': window }), 73.187);
  });
}

test('nvml publishes growths of what has counted before', { skip }, async (t) => {
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

test('nvml names each reason that lowers the clocks', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.CurrentClocksEventReasons': `0 ${0x04 | 0x40}` });
  const active = rig.next.last('hw.gpu.throttled').filter(({ value }) => value === 1);
  assert.deepEqual(
    active.map(({ series }) => series.attributes['hw.gpu.throttle.reason']),
    ['sw_power_cap', 'hw_thermal_slowdown'],
  );
});

test('nvml reads the profiling counters no more often than they are refreshed', { skip }, async (t) => {
  const rig = await startRig(t, { answers: { ...h100, '*.Gpm.2': '0 50', '*.Gpm.20': '0 100' } });
  const rows = () =>
    rig.next.tables.filter(({ series }) => series[0]?.metric.name === 'hw.gpu.graphics.utilization');
  // On a busy machine two readings can be further apart than the GPU refreshes its counters: then again.
  let [from, to, count] = [0, 0, 0];
  do {
    await sleep(120);
    from = performance.now();
    await rig.read();
    count = rows().length;
    await rig.read();
    to = performance.now();
  } while (to - from > 100);
  assert.ok(count >= 1);
  assert.equal(rows().length, count, 'two readings within 100 ms');
  assert.equal(rig.last('hw.gpu.sm.utilization'), 0.5);
  assert.equal(rig.last('hw.gpu.memory.bandwidth.utilization'), 0);
  const bytesOf = () =>
    rig.last('hw.gpu.io', { 'hw.gpu.io.link': 'pcie', 'network.io.direction': 'transmit' }) ?? 0;
  const bytesBefore = bytesOf();
  await sleep(120);
  const next = performance.now();
  await rig.read();
  const end = performance.now();
  assert.equal(rows().length, count + 1);
  const seconds = (bytesOf() - bytesBefore) / (100 * 2 ** 20);
  assert.ok(
    seconds >= (next - to) / 1010 && seconds <= (end - from) / 990,
    `${seconds} s between ${next - to} and ${end - from} ms`,
  );
});

test('nvml reads NVLink traffic once, of links that are in use', { skip }, async (t) => {
  const gpm = { ...h100, '*.Gpm.60': '0 1', '*.Gpm.61': '0 1' };
  const link = { 'hw.gpu.io.link': 'nvlink', 'network.io.direction': 'transmit' };
  const readAll = async (answers: Answers) => {
    const rig = await startRig(t, { answers });
    await sleep(120);
    await rig.read();
    checkTables(rig.next.tables);
    return rig.next
      .last('hw.gpu.io')
      .filter(({ series }) => series.attributes['hw.gpu.io.link'] === 'nvlink');
  };
  assert.equal((await readAll(gpm)).length, 0, 'no link is in use');
  assert.equal((await readAll({ ...gpm, '*.NvLinkState.3': '0 1' })).length, 2);
  const counted = await readAll({ ...gpm, '*.NvLinkState.3': '0 1', '*.Field.138': '0 10 3' });
  assert.deepEqual(
    counted.map(({ series }) => series.attributes),
    [{ 'hw.type': 'gpu', 'hw.id': uuid, 'hw.name': 'NVIDIA H100 80GB HBM3', ...link }],
  );
});

test('nvml reads PCIe traffic of GPUs without GPM, where it is to', { skip }, async (t) => {
  const { '*.GpmSupport': _, ...answers } = h100;
  const rig = await startRig(t, { answers, settings: { metrics: { pcie_sampling: true } } });
  await sleep(20);
  await rig.read();
  const [sent] = rig.next.last('hw.gpu.io');
  assert.deepEqual(sent.series.attributes['network.io.direction'], 'transmit');
  assert.ok(sent.value >= 719_000 * 0.02, `${sent.value} bytes`);
});

test('nvml reads eight GPUs, each at its own instant', { skip }, async (t) => {
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

test('nvml refuses a vGPU by its name', { skip }, async (t) => {
  const virtual = { '0.VirtualizationMode': '0 2', '0.Name': '0 GRID A100-10C' };
  const found = await probe(buildNvml({ ...h100, ...virtual }).path);
  assert.equal(found.available, false);
  assert.match(found.found, /Cannot read "GRID A100-10C" \(GPU-31540c43-[-0-9a-f]+\): it is a vGPU/);
  const rig = await startRig(t, { answers: { ...repeatGpu(2), ...virtual } });
  assert.ok(rig.log.lines.some((line) => line.startsWith('warn: Cannot read "GRID A100-10C"')));
  assert.equal(rig.next.last('hw.energy').length, 1, 'the other one is read');
  await rig.readWith({ '1.lost': '0 15' });
  rig.nvml.remove('1.lost');
  await until(async () => {
    await rig.read();
    return rig.last('hw.status', { 'hw.state': 'ok' }) === 1;
  });
  assert.equal(rig.log.lines.filter((line) => line.includes('it is a vGPU')).length, 1, 'it is said once');
});

test('nvml probes what is there, and names what is missing', { skip }, async () => {
  const { available, found } = await probe(buildNvml(repeatGpu(2)).path);
  assert.deepEqual(
    { available, found },
    { available: true, found: 'driver 580.159.04: 2 x NVIDIA H100 80GB HBM3' },
  );
  const missing = await probe('/nowhere/libnvidia-ml.so.1');
  assert.equal(missing.available, false);
  assert.match(missing.found, /Cannot load "\/nowhere\/libnvidia-ml\.so\.1"/);
  assert.match(missing.remedies[0].command, /libnvidia-compute/);
  const mismatch = await probe(buildNvml({ ...h100, Init: '18' }).path);
  assert.match(
    mismatch.found,
    /Cannot initialize NVML: driver and library have different versions \(NVML 18\)/,
  );
  assert.equal(mismatch.remedies[0].command, 'sudo reboot');
  const none = await probe(buildNvml({ ...h100, Count: '0 0' }).path);
  assert.match(none.found, /NVML knows no GPU/);
  const refused = await probe(buildNvml({ ...h100, '0.Handle': '4' }).path);
  assert.match(refused.found, /Cannot open GPU 0: no permission \(NVML 4\)/);
});

const hasDevice = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');

test(
  'nvml starts no thread and loads nothing, where there is no driver',
  { skip: hasDevice && 'this machine has an NVIDIA driver' },
  async () => {
    const threads = countThreads();
    const config = parseSettings(factory.schema, { procfs: createFolder() });
    const { available, found } = await factory.probe(config, createFakeContext());
    assert.equal(available, false);
    assert.match(found, /^no NVIDIA driver: .*\/driver\/nvidia\/version is not there$/);
    assert.equal(countThreads(), threads);
  },
);

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
  // A main thread that waits would have had no turn at all.
  assert.ok(turns >= 10, `${turns} turns in ${tookMs} ms`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkTables } from '../../src/model/check-tables.js';
import { h100, uuid, withoutCompiler as skip, type Answers } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

test('nvml reads the profiling counters no more often than they are refreshed', { skip }, async (t) => {
  const rig = await startRig(t, { answers: { ...h100, '*.Gpm.2': '0 50', '*.Gpm.20': '0 100' } });
  const rows = () =>
    rig.next.tables.filter(({ series }) => series[0]?.metric.name === 'hw.gpu.graphics.utilization');
  // On a busy machine, the time between two readings can exceed the refresh interval of the GPU; then this is
  // repeated.
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

test('nvml has gaps and logs once while the profiling counters cannot be read', { skip }, async (t) => {
  const rig = await startRig(t, { answers: { ...h100, '*.Gpm.2': '0 50' } });
  const readWith = async (answers: Answers) => {
    await sleep(120);
    await rig.readWith(answers);
    return [rig.last('hw.gpu.sm.utilization'), rig.last('hw.gpu.sm.occupancy')];
  };
  const logged = () => rig.log.lines.filter((line) => line.startsWith('error: '));
  assert.deepEqual(await readWith({}), [0.5, 0]);
  assert.deepEqual(await readWith({ '0.GpmSample': '999' }), [NaN, NaN]);
  assert.deepEqual(await readWith({}), [NaN, NaN]);
  assert.equal(logged().length, 1);
  assert.match(logged()[0] ?? '', /Cannot read profiling counters of .*unknown error \(NVML 999\)/u);
  assert.deepEqual(await readWith({ '0.GpmSample': '0' }), [0.5, 0]);
  assert.deepEqual(await readWith({ '0.Gpm.2': '999' }), [NaN, 0]);
  assert.match(logged().at(-1) ?? '', /Cannot read sm\.utilization of .*unknown error \(NVML 999\)/u);
});

test('nvml reads NVLink traffic once, for active links', { skip }, async (t) => {
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
  // nvml.h of CUDA 13: NVML_NVLINK_MAX_LINKS is 36.
  assert.equal((await readAll({ ...gpm, '*.NvLinkState.35': '0 1' })).length, 2);
  const counted = await readAll({ ...gpm, '*.NvLinkState.3': '0 1', '*.Field.138': '0 10 3' });
  assert.deepEqual(
    counted.map(({ series }) => series.attributes),
    [{ 'hw.type': 'gpu', 'hw.id': uuid, 'hw.name': 'NVIDIA H100 80GB HBM3', ...link }],
  );
});

test('nvml reads PCIe traffic of GPUs without GPM if configured', { skip }, async (t) => {
  const { '*.GpmSupport': _, ...answers } = h100;
  const rig = await startRig(t, { answers, settings: { metrics: { pcie_sampling: true } } });
  await sleep(20);
  await rig.read();
  const [sent] = rig.next.last('hw.gpu.io');
  assert.deepEqual(sent.series.attributes['network.io.direction'], 'transmit');
  assert.ok(sent.value >= 719_000 * 0.02, `${sent.value} bytes`);
});

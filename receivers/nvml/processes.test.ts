import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeProcfs, type FakeProcfs } from '../../src/identity/fake-procfs.fixture.js';
import { checkTables } from '../../src/model/check-tables.js';
import { h100, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { startRig, type Rig } from './nvml.fixture.js';

/** Samples `ms` after the newest one of the previous reading, in the format of the library: PID, then percentages. */
type Samples = (afterMs: number, ...samples: readonly (readonly number[])[]) => string;

async function startShared(t: TestContext): Promise<{ rig: Rig; procfs: FakeProcfs; at: Samples }> {
  const procfs = createFakeProcfs();
  procfs.write(11, { comm: 'train', exe: '/usr/bin/train', cgroup: '/docker-1' });
  procfs.write(12, { comm: 'serve', exe: '/usr/bin/serve', cgroup: '/docker-2' });
  const contexts = {
    '0.ComputeRunningProcesses': '0 11 1000 12 2000',
    '0.MPSComputeRunningProcesses': '0 12 500',
  };
  const rig = await startRig(t, { answers: { ...h100, ...contexts }, settings: { procfs: procfs.path } });
  const startUs = Date.now() * 1000;
  const at: Samples = (afterMs, ...samples) =>
    samples.reduce(
      (text, [pid, ...shares]) => `${text} ${pid} ${startUs + afterMs * 1000} ${shares.join(' ')}`,
      '0',
    );
  // The receiver counts from a sample on.
  await rig.readWith({ '0.ProcessUtilization': at(100, [11, 1, 1, 0, 0]) });
  return { rig, procfs, at };
}

const general = { 'hw.gpu.task': 'general' };

test(
  'nvml counts the GPU time of two processes that share a GPU, by the timestamps of the samples',
  { skip },
  async (t) => {
    const { rig, at } = await startShared(t);
    const before = rig.last('process.gpu.time', { 'process.pid': 11, ...general }) ?? NaN;
    await rig.readWith({ '0.ProcessUtilization': at(600, [11, 60, 20, 10, 0], [12, 30, 10, 0, 5]) });
    const grown = (rig.last('process.gpu.time', { 'process.pid': 11, ...general }) ?? NaN) - before;
    assert.ok(Math.abs(grown - 0.5 * 0.6) < 1e-6, `${grown} s`);
    assert.ok(
      Math.abs((rig.last('process.gpu.time', { 'process.pid': 12, ...general }) ?? NaN) - 0.5 * 0.3) < 1e-6,
    );
    assert.equal(rig.last('process.gpu.utilization', { 'process.pid': 11, 'hw.gpu.task': 'encoder' }), 0.1);
    assert.equal(rig.last('process.gpu.utilization', { 'process.pid': 12, 'hw.gpu.task': 'decoder' }), 0.05);
    assert.equal(
      rig.last('process.gpu.utilization', { 'process.executable.name': 'train', ...general }),
      0.6,
    );
    checkTables(rig.next.tables);
  },
);

test(
  'nvml counts the GPU time of all processes and engines, including unknown processes',
  { skip },
  async (t) => {
    const { rig, at } = await startShared(t);
    const before = rig.last('hw.gpu.time') ?? NaN;
    await rig.readWith({ '0.ProcessUtilization': at(600, [11, 60, 20, 10, 0], [77, 5, 10, 0, 5]) });
    const grown = (rig.last('hw.gpu.time') ?? NaN) - before;
    assert.ok(Math.abs(grown - 0.5 * 0.8) < 1e-6, `${grown} s`);
    const order = rig.next.tables.map(({ series }) => series[0]?.metric.name ?? '');
    assert.ok(order.lastIndexOf('hw.gpu.time') > order.lastIndexOf('process.gpu.time'), 'it closes the scan');
    assert.ok(order.indexOf('hw.gpu.time') < order.indexOf('hw.energy'), 'it comes before the first energy');
  },
);

test('nvml timestamps rows of usage with the newest sample, not with the reading', { skip }, async (t) => {
  const { rig, at } = await startShared(t);
  const answer = at(600, [11, 60, 20, 10, 0]);
  await rig.readWith({ '0.ProcessUtilization': answer });
  const table = rig.next.tables.findLast(({ series }) => series[0]?.metric.name === 'process.gpu.time');
  const stampNs = BigInt(answer.split(' ')[2]) * 1000n;
  const offNs = Number((table?.epoch ?? 0n) - stampNs);
  assert.ok(Math.abs(offNs) < 60e6, `${offNs} ns from the stamp`);
});

test('nvml shows a process without samples as idle, and keeps its GPU time', { skip }, async (t) => {
  const { rig, at } = await startShared(t);
  await rig.readWith({ '0.ProcessUtilization': at(600, [11, 60, 20, 0, 0], [12, 30, 10, 0, 0]) });
  const before = rig.last('process.gpu.time', { 'process.pid': 12, ...general });
  await rig.readWith({ '0.ProcessUtilization': at(900, [11, 60, 20, 0, 0]) });
  assert.equal(rig.last('process.gpu.utilization', { 'process.pid': 12, ...general }), 0);
  assert.equal(rig.last('process.gpu.time', { 'process.pid': 12, ...general }), before);
});

test(
  'nvml logs once that the use of processes cannot be read, and counts it afterwards',
  { skip },
  async (t) => {
    const { rig, at } = await startShared(t);
    const before = rig.last('process.gpu.time', { 'process.pid': 11, ...general }) ?? NaN;
    await rig.readWith({ '0.ProcessUtilization': '999' });
    await rig.read();
    const logged = rig.log.lines.filter((line) => line.includes('Cannot read utilization of processes of'));
    assert.equal(logged.length, 1, rig.log.lines.join('\n'));
    assert.match(logged[0] ?? '', /^error: .*unknown error \(NVML 999\)/u);
    await rig.readWith({ '0.ProcessUtilization': at(600, [11, 60, 20, 10, 0]) });
    const grown = (rig.last('process.gpu.time', { 'process.pid': 11, ...general }) ?? NaN) - before;
    assert.ok(Math.abs(grown - 0.5 * 0.6) < 1e-6, `${grown} s`);
  },
);

test('nvml rejects samples with a percentage above 100', { skip }, async (t) => {
  const { rig, at } = await startShared(t);
  await rig.readWith({ '0.ProcessUtilization': at(600, [11, 4294967295, 0, 0, 0], [12, 30, 10, 0, 0]) });
  assert.equal(rig.last('process.gpu.utilization', { 'process.pid': 11, ...general }), 0);
  assert.equal(rig.last('process.gpu.utilization', { 'process.pid': 12, ...general }), 0.3);
});

test('nvml reports the memory of each context, and which are of MPS', { skip }, async (t) => {
  const { rig } = await startShared(t);
  assert.equal(
    rig.last('process.gpu.memory.usage', { 'process.pid': 11, 'hw.gpu.context': 'compute' }),
    1000,
  );
  assert.equal(rig.last('process.gpu.memory.usage', { 'process.pid': 12, 'hw.gpu.context': 'mps' }), 500);
  assert.equal(
    rig.last('process.gpu.memory.usage', { 'process.pid': 12, 'hw.gpu.context': 'compute' }),
    undefined,
  );
  assert.equal(rig.last('hw.gpu.process.count', { 'hw.gpu.process.type': 'compute' }), 1);
  assert.equal(rig.last('hw.gpu.process.count', { 'hw.gpu.process.type': 'mps' }), 1);
  await rig.readWith({ '0.ComputeRunningProcesses': '0 11 -1 12 2000' });
  assert.ok(
    Number.isNaN(rig.last('process.gpu.memory.usage', { 'process.pid': 11 }) ?? 0),
    'it is not available',
  );
});

test('nvml ends the series of a process that destroys its context', { skip }, async (t) => {
  const { rig, procfs, at } = await startShared(t);
  procfs.remove(11);
  await rig.readWith({
    '0.ComputeRunningProcesses': '0 12 2000',
    '0.ProcessUtilization': at(600, [11, 80, 0, 0, 0], [12, 20, 0, 0, 0]),
  });
  const time = rig.last('process.gpu.time', { 'process.pid': 11, ...general }) ?? 0;
  assert.ok(time > 0.4 - 1e-6, `its last window is counted: ${time} s`);
  await rig.readWith({ '0.ProcessUtilization': at(900, [12, 20, 0, 0, 0]) });
  const ended = rig.next.tables.flatMap((table) => table.ended ?? []);
  assert.equal(ended.length, 8, 'seven series of usage, and one of memory');
  assert.ok(ended.every(({ resource }) => resource.attributes['process.pid'] === 11));
  checkTables(rig.next.tables);
});

test('nvml starts new series when a PID is reused', { skip }, async (t) => {
  const { rig, procfs } = await startShared(t);
  procfs.write(11, { comm: 'other', exe: '/usr/bin/other', startTicks: 5000 });
  await rig.read();
  assert.equal(rig.last('process.gpu.memory.usage', { 'process.executable.name': 'other' }), 1000);
  const ended = rig.next.tables.flatMap((table) => table.ended ?? []);
  assert.ok(ended.every(({ resource }) => resource.attributes['process.executable.name'] === 'train'));
  assert.ok(ended.length > 0);
  checkTables(rig.next.tables);
});

test('nvml warns once of processes that are not in its procfs', { skip }, async (t) => {
  const { rig } = await startShared(t);
  await rig.readWith({ '0.ComputeRunningProcesses': '0 11 1000 76 1' });
  await rig.readWith({ '0.ComputeRunningProcesses': '0 11 1000 77 1 78 1' });
  assert.deepEqual(
    rig.log.lines.filter((line) => line.startsWith('warn')),
    [],
    'they may have just ended',
  );
  await rig.read();
  await rig.read();
  assert.equal(rig.log.lines.filter((line) => line.startsWith('warn: Cannot find process 77')).length, 1);
  assert.equal(rig.log.lines.filter((line) => line.includes('process 78')).length, 0);
});

test('nvml ignores samples of a process without a context', { skip }, async (t) => {
  const { rig, procfs, at } = await startShared(t);
  procfs.write(13, { comm: 'shell' });
  await rig.readWith({ '0.ProcessUtilization': at(600, [13, 60, 20, 0, 0]) });
  assert.equal(rig.last('process.gpu.time', { 'process.pid': 13 }), undefined);
  assert.equal(rig.log.lines.filter((line) => line.startsWith('warn')).length, 0);
  await rig.readWith({ '0.ProcessUtilization': at(900, [13, 60, 20, 0, 0]) });
  assert.ok(rig.log.lines.some((line) => line.startsWith('warn: Cannot find process 13')));
});

test('nvml reads more processes than its initial buffer has room for', { skip }, async (t) => {
  const { rig } = await startShared(t);
  const many = Array.from({ length: 300 }, (_, i) => `${i + 1000} 1`).join(' ');
  await rig.readWith({ '0.ComputeRunningProcesses': `0 ${many}` });
  assert.equal(rig.last('hw.gpu.process.count', { 'hw.gpu.process.type': 'compute' }), 300);
});

test('nvml finds the name of a user that was added after its start', { skip }, async (t) => {
  const procfs = createFakeProcfs();
  const passwd = join(procfs.path, 'passwd');
  const rig = await startRig(t, { answers: h100, settings: { procfs: procfs.path, passwd } });
  writeFileSync(passwd, `me:x:${process.getuid?.()}:0:::\n`);
  procfs.write(11, { comm: 'train', exe: '/usr/bin/train' });
  await rig.readWith({ '0.ComputeRunningProcesses': '0 11 1000' });
  assert.equal(rig.last('process.gpu.memory.usage', { 'process.owner': 'me' }), 1000);
});

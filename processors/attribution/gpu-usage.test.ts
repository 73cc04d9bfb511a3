import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuCount, FloorLearner } from '../../src/energy/floor-learner.js';
import { checkTables } from '../../src/model/check-tables.js';
import { GpuTimeCounter, GpuUsage } from '../../src/usage/gpu-usage.js';
import { Workload } from '../../src/usage/workload.js';
import { Floor } from './floor.js';
import { RigGpu, RigInstance } from './rig-gpu.fixture.js';
import { Rig, RigProcess } from './rig.fixture.js';

function createRig(settings: object = {}) {
  const rig = new Rig({ floor: [{ hw_type: 'gpu', power: 0 }], ...settings });
  const processes = [1, 2, 3].map((pid) => new RigProcess({ 'process.pid': pid }, 0));
  const gpu = new RigGpu(rig);
  return { rig, gpu, processes };
}

/** A scan of the CPUs, in which every process used some time. */
function scanCpus(rig: Rig, atS: number, processes: readonly RigProcess[]): void {
  rig.usage(
    atS,
    processes.map((process) => [process, atS / 10]),
  );
  rig.boundary(atS, processes.length * (atS / 10));
}

test('attribution shares the energy of a GPU by GPU time, not by CPU time', () => {
  const { rig, gpu, processes } = createRig();
  const [first, second] = processes;
  gpu.scan(
    0,
    [
      [first, 0],
      [second, 0],
    ],
    0,
    0,
  );
  scanCpus(rig, 0, processes);
  scanCpus(rig, 1, processes);
  gpu.scan(
    0.8,
    [
      [first, 0.6],
      [second, 0.2],
    ],
    0.8,
    80,
  );
  scanCpus(rig, 2, processes);
  gpu.scan(
    1.8,
    [
      [first, 0.6],
      [second, 0.6],
    ],
    1.2,
    120,
  );
  assert.deepEqual(rig.processes(), { 1: 60, 2: 60 });
  assert.deepEqual(rig.parts('GPU-1'), { attributed: 120, idle: 0 });
  const [{ series }] = rig.out.last('process.energy');
  assert.equal(series.attributes['energy.attribution.model'], 'gpu_time');
  checkTables(rig.out.tables);
});

test('attribution gives groups the resource of the machine if only the usage of its GPUs arrives', () => {
  const { rig, gpu, processes } = createRig();
  const [first] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  gpu.scan(1, [[first, 1]], 1, 100);
  const [{ series }] = rig.out.last('linux.cgroup.energy');
  assert.deepEqual(series.resource.attributes, { 'host.name': 'rig', 'linux.cgroup.path': 'none' });
});

test('attribution settles the last energy of a GPU at shutdown without the usage of CPUs', () => {
  const { rig, gpu, processes } = createRig();
  const [first] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  gpu.scan(1, [[first, 1]], 1, 100);
  rig.energy(gpu.energy, 1.5, 150);
  void rig.processor.shutdown();
  assert.deepEqual(rig.parts('GPU-1'), { attributed: 100, idle: 0, gap: 50 });
});

test('attribution divides the energy of a GPU among its MIG instances and their processes', () => {
  const { rig, gpu, processes } = createRig();
  const [first, second] = processes;
  const instances = ['MIG-1', 'MIG-2', 'MIG-3'].map((id) => new RigInstance(rig, id, 'GPU-1'));
  const scan = (atS: number, used: readonly number[], total: number, joules: number) => {
    instances.forEach((instance, i) => instance.scan(atS, [first, second][i], used[i]));
    gpu.scan(atS, [], total, joules);
  };
  scan(0, [0, 0, 0], 0, 0);
  scan(1, [0.1, 0.3, 0], 0.4, 100);
  scan(2, [0.1, 0.5, 0.2], 0.8, 200);
  assert.deepEqual(rig.processes(), { 1: 25, 2: 125 });
  assert.deepEqual(rig.parts('GPU-1'), { attributed: 150, idle: 0, unseen: 50 });
  const energy = () =>
    rig.out.last('hw.gpu.instance.energy').map(({ series: { attributes }, value }) => {
      return [attributes['hw.id'], attributes['hw.parent'], value];
    });
  assert.deepEqual(energy(), [
    ['MIG-1', 'GPU-1', 25],
    ['MIG-2', 'GPU-1', 125],
    ['MIG-3', 'GPU-1', 50],
  ]);
  // One instance is destroyed, and another one gets its SMs.
  rig.end(2.5, ...instances[1].series(second));
  instances[1] = new RigInstance(rig, 'MIG-4', 'GPU-1');
  scan(3, [0.1, 0, 0.2], 0.8, 250);
  scan(4, [0.1, 0.5, 0.2], 1.3, 300);
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended
      .filter(({ metric }) => metric.name === 'hw.gpu.instance.energy')
      .map((one) => one.attributes['hw.id']),
    ['MIG-2'],
  );
  assert.equal(energy().find(([id]) => id === 'MIG-4')?.[2], 50);
  checkTables(rig.out.tables);
});

test('attribution does not treat the power of an unused MIG instance as a floor while its GPU has a context', () => {
  const usage = new GpuUsage();
  const workload = new Workload({ attributes: { 'process.pid': 1 } }, 0, { groups: [] });
  const cut = (atS: number) => {
    usage.readInstance('MIG-1', 0);
    return usage.cut(atS * 1e9, 0)?.isQuiet;
  };
  cut(0);
  assert.equal(cut(1), true);
  const counter = new GpuTimeCounter(workload, usage);
  assert.equal(cut(2), false);
  counter.close();
  assert.equal(cut(3), true);
});

test('attribution leaves GPU usage of unknown processes unattributed', () => {
  const { rig, gpu, processes } = createRig();
  const [first] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  scanCpus(rig, 0, processes);
  gpu.scan(1, [[first, 0.25]], 1, 100);
  assert.deepEqual(rig.parts('GPU-1'), { attributed: 25, idle: 0, unseen: 75 });
});

test('attribution marks energy of a GPU that no process used as no_usage', () => {
  const { rig, gpu, processes } = createRig();
  const [first] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  scanCpus(rig, 0, processes);
  gpu.scan(1, [[first, 0]], 0, 70);
  scanCpus(rig, 1, processes);
  assert.deepEqual(rig.parts('GPU-1'), { attributed: 0, idle: 0, no_usage: 70 });
});

test('attribution shares each of several GPUs by separate scans', () => {
  const { rig, gpu, processes } = createRig();
  const other = new RigGpu(rig, 'GPU-2');
  const [first, second] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  other.scan(
    0.01,
    [
      [first, 0],
      [second, 0],
    ],
    0,
    0,
  );
  scanCpus(rig, 0.02, processes);
  gpu.scan(1, [[first, 1]], 1, 300);
  other.scan(
    1.2,
    [
      [first, 0.2],
      [second, 0.6],
    ],
    0.8,
    400,
  );
  scanCpus(rig, 1.3, processes);
  gpu.scan(2, [[first, 2]], 2, 600);
  other.scan(
    2.2,
    [
      [first, 0.2],
      [second, 1.6],
    ],
    1.8,
    900,
  );
  assert.deepEqual(rig.processes(), { 1: 700, 2: 800 });
  checkTables(rig.out.tables);
});

test('attribution charges a process its last GPU time after its CPU time has ended', () => {
  const { rig, gpu, processes } = createRig();
  const [first, second] = processes;
  gpu.scan(
    0,
    [
      [first, 0],
      [second, 0],
    ],
    0,
    0,
  );
  scanCpus(rig, 0, processes);
  rig.end(0.5, ...first.series);
  scanCpus(rig, 1, [second]);
  scanCpus(rig, 2, [second]);
  gpu.scan(
    1,
    [
      [first, 0.5],
      [second, 0.5],
    ],
    1,
    100,
  );
  rig.end(2.1, ...gpu.seriesOf(first));
  scanCpus(rig, 3, [second]);
  gpu.scan(2, [[second, 1.5]], 2, 200);
  scanCpus(rig, 4, [second]);
  assert.deepEqual(rig.processes(), { 1: 50, 2: 150 });
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric, resource }) => [metric.name, resource.attributes['process.pid']]),
    [['process.energy', 1]],
    'its series has ended, once and after that',
  );
  checkTables(rig.out.tables);
});

test('GpuUsage is quiet while no process holds a context', () => {
  const usage = new GpuUsage();
  const workload = new Workload({ attributes: { 'process.pid': 1 } }, 0, { groups: [] });
  const isQuiet = (atS: number, seconds: number) => usage.cut(atS * 1e9, seconds)?.isQuiet;
  isQuiet(0, 0);
  assert.equal(isQuiet(1, 0), true);
  const counter = new GpuTimeCounter(workload, usage);
  assert.equal(isQuiet(2, 0), false, 'a context raises the power of an idle GPU');
  counter.close();
  assert.equal(isQuiet(3, 0), true);
  assert.equal(isQuiet(4, 0.5), false, 'an unknown process uses it');
});

/** The floor after 60 windows of 70 W in which no CPU was busy. */
function learnFloor(isQuiet: boolean): number | undefined {
  const floor = new Floor(undefined, new FloorLearner(new CpuCount(1)));
  const nothing = { isGap: false, busyNs: 0, isQuiet, workloads: [], cpuNs: [], lifeNs: [] };
  for (let i = 0; i < 60; i++) {
    const [from, to] = [i * 1e9, (i + 1) * 1e9];
    floor.observe({
      from,
      to,
      energyNj: 70e9,
      refreshNs: 0,
      lagNs: 0,
      edgeNs: 0,
      tickNs: 0,
      usage: { ...nothing, firstTo: to, to },
    });
  }
  return floor.current?.watts;
}

test('Floor learns nothing from a window that was not quiet', () => {
  assert.equal(learnFloor(true), 70);
  assert.equal(learnFloor(false), undefined);
});

test('attribution shares no energy of a GPU whose scans have ended', () => {
  const { rig, gpu, processes } = createRig();
  const [first] = processes;
  gpu.scan(0, [[first, 0]], 0, 0);
  scanCpus(rig, 0, processes);
  gpu.scan(1, [[first, 1]], 1, 100);
  scanCpus(rig, 1, processes);
  const scans = rig.out.tables.length;
  assert.ok(scans > 0);
  rig.end(1.5, ...gpu.scanSeries);
  for (const atS of [2, 3]) {
    rig.energy(gpu.energy, atS, 100 * atS);
    scanCpus(rig, atS, processes);
  }
  rig.energy(gpu.energy, 4, 400);
  assert.deepEqual(rig.processes(), { 1: 100 });
  assert.equal(rig.parts('GPU-1')['no_usage'], 200);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes } from '../../src/model/series.js';
import { hostEnergy } from '../../src/model/shared-metrics.js';
import { playBusy, playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

test('attribution forwards every table unchanged, before the tables derived from it', () => {
  const { rig } = playBusy({ process_metrics: 'all' });
  const names = rig.out.tables.map(({ series }) => series[0].metric.name);
  assert.deepEqual(names, [
    'hw.energy',
    'process.cpu.time',
    'system.cpu.busy.time',
    'hw.energy',
    'process.cpu.time',
    'system.cpu.busy.time',
    'ledger.energy',
  ]);
});

test('attribution gives groups the resource of the machine and the attributes that define the group, and none of single processes', () => {
  const rig = new Rig({ process_limit: 1 });
  const processes = ['first', 'second'].map(
    (name, i) =>
      new RigProcess(
        {
          'process.pid': i + 1,
          'process.executable.name': 'server',
          'process.linux.cgroup': '0::/a',
          'thread.name': name,
          team: name,
        },
        0,
      ),
  );
  const meter = rig.createMeter();
  playSecond({ rig, meter, used: processes.map((process) => [process, 0] as const) }, 0);
  playSecond({ rig, meter, used: processes.map((process, i) => [process, 0.6 - i / 5] as const) }, 1);
  const groups = ['linux.cgroup.energy', 'program.energy', 'process.energy'].map((name) =>
    rig.out.last(name).map(({ series: { resource }, value }) => [resource.attributes, value]),
  );
  const [[first]] = groups[2];
  assert.deepEqual(groups, [
    [[{ 'host.name': 'rig', 'linux.cgroup.path': '/a' }, 10]],
    [[{ 'host.name': 'rig', 'process.executable.name': 'server' }, 10]],
    [
      [first, 6],
      [{ 'host.name': 'rig', 'process.executable.name': 'other' }, 4],
    ],
  ]);
  assert.deepEqual(first, processes[0].resource.attributes);
});

test('attribution publishes counters with workload, model and start', () => {
  const { rig } = playBusy();
  const [{ series, value }] = rig.out.last('process.energy');
  assert.equal(value, 10);
  assert.equal(series.resource.attributes['process.pid'], 1);
  assert.equal(series.start, unixNs(0));
  assert.deepEqual(series.attributes, {
    'hw.type': 'cpu',
    'energy.method': 'estimated',
    'energy.attribution.model': 'cpu_time',
  });
  const [cgroup] = rig.out.last('linux.cgroup.energy');
  assert.deepEqual(cgroup.series.resource.attributes, { 'host.name': 'rig', 'linux.cgroup.path': '/a' });
  const [part] = rig.out.last('ledger.energy');
  assert.deepEqual(part.series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'ledger.part': 'attributed',
    'energy.method': 'estimated',
  });
});

test('attribution uses the floor that a model reports, and publishes its source', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  rig.modelFloor(meter, 0, 4);
  playSecond({ rig, meter, used: [] }, 0);
  playSecond({ rig, meter, used: [] }, 1);
  assert.deepEqual(rig.parts(), { attributed: 0, idle: 4, unseen: 6 });
  const [floor] = rig.out.last('attribution.floor.power');
  assert.equal(floor.value, 4);
  assert.deepEqual(floor.series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'floor.source': 'model',
    'energy.method': 'estimated',
  });
});

test('attribution prefers a configured floor, for its domain only', () => {
  const rig = new Rig({
    floor: [
      { hw_id: 'other', power: 1 },
      { hw_type: 'cpu', power: 3 },
    ],
  });
  const meter = rig.createMeter();
  rig.modelFloor(meter, 0, 4);
  playSecond({ rig, meter, used: [] }, 0);
  playSecond({ rig, meter, used: [] }, 1);
  assert.equal(rig.parts()['idle'], 3);
  assert.equal(rig.out.last('attribution.floor.power')[0].series.attributes['floor.source'], 'set');
});

test('attribution learns a floor in quiet windows and uses it from the next window on', () => {
  const rig = new Rig();
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  for (let atS = 0; atS <= 61; atS++) {
    rig.energy(meter, atS, 10 * atS);
    rig.boundary(atS, 0.01 * atS);
  }
  assert.deepEqual(rig.parts(), { attributed: 0, unseen: 600, idle: 10 });
  rig.energy(meter, 62, 640);
  rig.boundary(62, 1.61);
  assert.equal(rig.logLines.length, 1);
  assert.match(
    rig.logLines[0],
    /info: Cannot tell idle from other energy of cpu "package-0": expected a known floor, found none/,
  );
  assert.deepEqual(rig.parts(), { attributed: 0, unseen: 620, idle: 20 });
});

test('attribution publishes no idle energy while no floor is known', () => {
  const { rig } = playBusy();
  assert.deepEqual(rig.parts(), { attributed: 10 });
  assert.deepEqual(rig.out.last('attribution.floor.power'), []);
});

test('attribution puts processes without a cgroup into a separate group', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const inside = new RigProcess({ 'process.pid': 1, 'process.linux.cgroup': '0::/a.slice' }, 0);
  const outside = new RigProcess({ 'process.pid': 2 }, 0);
  playSecond(
    {
      rig,
      meter,
      used: [
        [inside, 0],
        [outside, 0],
      ],
    },
    0,
  );
  playSecond(
    {
      rig,
      meter,
      used: [
        [inside, 0.75],
        [outside, 0.25],
      ],
    },
    1,
  );
  assert.deepEqual(rig.cgroups(), { '/a.slice': 7.5, none: 2.5 });
});

function createProcess(pid: number, name: string, owner: Attributes): RigProcess {
  return new RigProcess({ 'process.pid': pid, 'process.executable.name': name, ...owner }, 0);
}

test('attribution groups processes by program within their unit or container', () => {
  const rig = new Rig();
  const meter = rig.createMeter();
  const processes = [
    createProcess(1, 'cc1', { 'systemd.unit': 'a.service', 'process.linux.cgroup': '0::/a.service/x' }),
    createProcess(2, 'cc1', { 'systemd.unit': 'a.service', 'process.linux.cgroup': '0::/a.service/y' }),
    createProcess(3, 'cc1', { 'container.id': 'b' }),
    createProcess(4, 'kworker/0:1-events', { 'systemd.unit': 'kernel' }),
    createProcess(5, 'kworker/1:0', { 'systemd.unit': 'kernel' }),
  ];
  const usedS = [0.1, 0.2, 0.3, 0.1, 0.2];
  playSecond({ rig, meter, used: processes.map((process) => [process, 0]) }, 0);
  playSecond({ rig, meter, used: processes.map((process, i) => [process, usedS[i]]) }, 1);
  const programs = rig.out
    .last('program.energy')
    .map(({ series: { resource }, value }) => [resource.attributes, value]);
  const host = { 'host.name': 'rig' };
  assert.deepEqual(
    new Set(programs),
    new Set([
      [{ ...host, 'process.executable.name': 'cc1', 'systemd.unit': 'a.service' }, 3],
      [{ ...host, 'process.executable.name': 'cc1', 'container.id': 'b' }, 3],
      [{ ...host, 'process.executable.name': 'kworker', 'systemd.unit': 'kernel' }, 3],
    ]),
  );
});

test('attribution publishes the configured views', () => {
  const { rig } = playBusy({ views: ['cgroup'] });
  assert.deepEqual(rig.processes(), {});
  assert.deepEqual(rig.cgroups(), { '/a': 10 });
});

test('attribution can be shut down without a start and twice', () => {
  const rig = new Rig();
  void rig.processor.shutdown();
  void rig.processor.shutdown();
  assert.deepEqual(rig.out.tables, []);
});

test('attribution starts with the first reading of a meter whose energy arrives later', () => {
  const rig = new Rig({ process_metrics: 'all' });
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  rig.usage(0.1, [[process, 0]]);
  rig.boundary(0.1, 0);
  rig.usage(0.6, [[process, 0.5]]);
  rig.boundary(0.6, 0.5);
  rig.end(0.6, ...process.series);
  rig.boundary(0.7, 0.5);
  for (const [atS, joules] of [
    [0, 0],
    [0.6, 6],
    [0.7, 7],
  ])
    rig.energy(meter, atS, joules);
  rig.energy(meter, 1, 10);
  assert.deepEqual(rig.processes(), { 1: 6 });
  const ended = rig.out.tables.flatMap((table) => table.ended ?? []);
  assert.deepEqual(
    ended.map(({ metric }) => metric.name),
    ['process.cpu.time', 'process.cpu.time', 'process.energy'],
  );
});

test('attribution attributes the energy of a host whose domains cannot be read', () => {
  const rig = new Rig({ cpu_count: 1 });
  const attributes = { 'hw.type': 'host', 'hw.id': 'host-estimate' };
  const meter = { ...rig.createMeter(attributes), metric: hostEnergy };
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (const atS of [0, 1, 2]) playSecond({ rig, meter, used: [[process, atS]] }, atS);
  assert.deepEqual(rig.processes(), { 1: 20 });
  const [{ series }] = rig.out.last('process.energy');
  assert.equal(series.attributes['hw.type'], 'host');
});

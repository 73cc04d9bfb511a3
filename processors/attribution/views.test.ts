import assert from 'node:assert/strict';
import { test } from 'node:test';
import { playSecond, Rig, RigProcess } from './rig.fixture.js';

test('attribution publishes custom views in addition to the built-in ones', () => {
  const rig = new Rig({
    views: ['user'],
    custom_views: [{ metric: 'team.energy', group_by: ['team'], keep: ['cost.center'] }],
  });
  const meter = rig.createMeter();
  const owners = [{ team: 'a', 'cost.center': '17' }, { team: 'b' }, { 'process.owner': 'ann' }];
  const processes = owners.map((owner, i) => new RigProcess({ 'process.pid': i, ...owner }, 0));
  for (const atS of [0, 1]) {
    playSecond({ rig, meter, used: processes.map((process, i) => [process, (atS * (i + 1)) / 10]) }, atS);
  }
  const published = (metric: string) =>
    rig.out.last(metric).map(({ series, value }) => [series.resource.attributes, value]);
  const host = { 'host.name': 'rig' };
  const sorted = (metric: string) => published(metric).toSorted(([, a], [, b]) => Number(a) - Number(b));
  assert.deepEqual(sorted('team.energy'), [
    [{ ...host, team: 'a', 'cost.center': '17' }, 1],
    [{ ...host, team: 'b' }, 2],
    [{ ...host, team: 'none' }, 3],
  ]);
  assert.deepEqual(
    new Set(published('user.energy')),
    new Set([
      [{ ...host, 'process.owner': 'none' }, 3],
      [{ ...host, 'process.owner': 'ann' }, 3],
    ]),
  );
  assert.deepEqual(rig.out.last('process.energy'), []);
});

test('attribution shows the groups with the highest usage, none always, and aggregates the others', () => {
  const rig = new Rig({ views: ['unit', 'process'], group_limit: 1 });
  const meter = rig.createMeter();
  const units = ['a.service', 'b.service', 'c.service', undefined];
  const processes = units.map(
    (unit, i) => new RigProcess({ 'process.pid': i, ...(unit && { 'systemd.unit': unit }) }, 0),
  );
  for (const atS of [0, 1]) {
    playSecond({ rig, meter, used: processes.map((process, i) => [process, (atS * (4 - i)) / 10]) }, atS);
  }
  const joules = rig.out
    .last('systemd.unit.energy')
    .map(({ series, value }) => [series.resource.attributes['systemd.unit'], value]);
  assert.deepEqual(Object.fromEntries(joules), { 'a.service': 4, other: 5, none: 1 });
  assert.deepEqual(rig.processes(), { 0: 4, 1: 3, 2: 2, 3: 1 });
});

test('attribution does not use the service of the collector, which is on all tables, as the service of a process', () => {
  const rig = new Rig({ views: ['service'] });
  const meter = rig.createMeter();
  const services = ['joulemetry', 'shop'];
  const processes = services.map((name, i) => new RigProcess({ 'process.pid': i, 'service.name': name }, 0));
  for (const atS of [0, 1]) playSecond({ rig, meter, used: processes.map((one) => [one, atS / 2]) }, atS);
  const names = rig.out
    .last('service.energy')
    .map(({ series }) => series.resource.attributes['service.name']);
  assert.deepEqual(new Set(names), new Set(['none', 'shop']));
});

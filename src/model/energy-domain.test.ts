import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeDomain,
  energyMetricOf,
  findPackage,
  hardwareTypeOf,
  type EnergyDomain,
} from './energy-domain.js';
import { hwEnergy } from './shared-metrics.js';

const describe = (kind: EnergyDomain['kind'], name: string, place: number | string = 0) =>
  describeDomain({ kind, name, place });

test('describeDomain identifies the domains of a package by that package', () => {
  assert.deepEqual(describe('package', 'package-0'), {
    'hw.type': 'cpu',
    'hw.id': 'cpu-package-0',
    'hw.name': 'package-0',
  });
  assert.deepEqual(describe('dram', 'dram-0-die-1', '0-die-1'), {
    'hw.type': 'memory',
    'hw.id': 'dram-0-die-1',
    'hw.name': 'dram-0-die-1',
    'hw.parent': 'cpu-package-0-die-1',
  });
  assert.deepEqual(describe('core', 'core-1', 1), {
    'rapl.domain': 'core',
    'hw.id': 'core-1',
    'hw.parent': 'cpu-package-1',
  });
  assert.deepEqual(describe('psys', 'psys-0'), { 'rapl.domain': 'psys', 'hw.id': 'psys-0' });
  assert.deepEqual(describe('gpu', 'gpu-0'), { 'hw.type': 'gpu', 'hw.id': 'gpu-0', 'hw.name': 'gpu-0' });
});

test('only domains that do not overlap are in the metric that may be summed', () => {
  const kinds = ['package', 'dram', 'core', 'uncore', 'psys', 'gpu'] as const;
  const summed = kinds.filter((kind) => energyMetricOf({ kind }) === hwEnergy);
  assert.deepEqual(summed, ['package', 'dram', 'gpu']);
  for (const kind of kinds) {
    const attributes = describeDomain({ kind, name: 'a', place: 0 });
    assert.equal(attributes['hw.type'], hardwareTypeOf({ kind }));
    assert.equal('rapl.domain' in attributes, !summed.includes(kind), kind);
  }
});

test('the domains of a machine with several sockets and dies are all apart, each in the package of its place', () => {
  const kinds = ['package', 'dram', 'core', 'uncore'] as const;
  const places = [0, 1, '1-die-0', '1-die-1'];
  const domains = places.flatMap((place) => kinds.map((kind) => describe(kind, `${kind}-${place}`, place)));
  assert.equal(new Set(domains.map((attributes) => attributes['hw.id'])).size, domains.length);
  for (const [i, attributes] of domains.entries()) {
    const own = domains[i - (i % kinds.length)]['hw.id'];
    assert.equal(attributes['hw.parent'], i % kinds.length === 0 ? undefined : own);
  }
});

test('findPackage knows packages and their memory by what receivers call them', () => {
  assert.equal(findPackage(describe('package', 'package-1', 1)), 1);
  assert.equal(findPackage(describe('package', 'package-1-die-0', '1-die-0')), 1);
  assert.equal(findPackage(describe('dram', 'dram-1', 1)), 1);
  assert.equal(findPackage({ 'hw.type': 'memory', 'hw.id': 'dram-0' }), 0);
  assert.equal(findPackage({ 'hw.type': 'cpu', 'hw.id': 'hwmon/energy2', 'hw.name': 'Esocket1' }), 1);
  assert.equal(findPackage({ 'hw.type': 'cpu', 'hw.id': 'a', 'hw.name': 'CPU Power Socket 2' }), 2);
  assert.equal(findPackage({ 'hw.type': 'cpu', 'hw.id': 'cpu-estimate' }), undefined);
  assert.equal(findPackage(describe('gpu', 'package-0')), undefined);
});

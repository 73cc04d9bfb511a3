import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as names from './semantic-conventions.js';
import type { Metric } from './series.js';
import * as shared from './shared-metrics.js';

const isMetric = (value: unknown): value is Metric =>
  typeof value === 'object' && value !== null && 'valueType' in value;
const metrics = Object.values(shared).filter(isMetric);

/** Names that the semantic conventions have given, against the rules that hold for our own. */
const conventional: ReadonlySet<string> = new Set([
  'hw.status',
  'hw.temperature.limit',
  'hw.fan.speed_ratio',
]);
const named = metrics.filter(({ name }) => !conventional.has(name));

test('each shared metric has a name of its own, a unit and a description for people', () => {
  assert.ok(metrics.length > 10);
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
  for (const { name, unit, description, kind, valueType } of named) {
    assert.match(name, /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/u);
    // UCUM: base units without prefixes, or a word in braces for what is counted one by one.
    assert.match(unit, /^(?:J|W|V|A|Cel|rpm|s|\{[a-z]+\})$/u, name);
    assert.match(description, /^[A-Z].*[^.]$/u, name);
    assert.equal(valueType, /^(?:\{|rpm$)/u.test(unit) ? 'int' : 'double', name);
    assert.equal(unit === 'W', kind === 'gauge' && name.endsWith('.power'), name);
  }
});

test('a counter of seconds or joules is called time or energy', () => {
  for (const { name, unit, kind } of metrics) {
    if (kind === 'counter') assert.match(name, unit === 'J' ? /(?:^|\.)energy$/u : /\.time$/u);
  }
});

test('the energy of each view has a name of its own, which no measured energy has', () => {
  const published = [...Object.values(shared.groupEnergyNames), shared.processEnergy.name];
  const measured = [
    shared.hwEnergy.name,
    shared.hostEnergy.name,
    shared.meterEnergy.name,
    shared.raplEnergy.name,
  ];
  assert.equal(new Set([...published, ...measured]).size, published.length + measured.length);
  for (const name of published) assert.match(name, /\.energy$/u);
});

test('each constant is named after its attribute, and no attribute has two', () => {
  const constants = Object.entries(names).filter(([name]) => name.startsWith('ATTR_'));
  assert.ok(constants.length > 30);
  for (const [name, value] of constants) {
    assert.equal(name, `ATTR_${value.replaceAll('.', '_').toUpperCase()}`);
  }
  assert.equal(new Set(constants.map(([, value]) => value)).size, constants.length);
});

const describe = (kind: shared.EnergyDomain['kind'], name: string, place: number | string = 0) =>
  shared.describeDomain({ kind, name, place });

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
  const summed = kinds.filter((kind) => shared.energyMetricOf({ kind }) === shared.hwEnergy);
  assert.deepEqual(summed, ['package', 'dram', 'gpu']);
  for (const kind of kinds) {
    const attributes = shared.describeDomain({ kind, name: 'a', place: 0 });
    assert.equal(attributes['hw.type'], shared.hardwareTypeOf({ kind }));
    assert.equal('rapl.domain' in attributes, !summed.includes(kind), kind);
  }
});

test('an up-down counter counts what its unit names, and is called count', () => {
  for (const { name, unit, kind } of named) {
    assert.equal(kind === 'updowncounter', unit.startsWith('{'), name);
    assert.equal(kind === 'updowncounter', name.endsWith('.count'), name);
  }
});

test('no name is the namespace of another, and no metric is called as an attribute', () => {
  const attributes = Object.values(names).filter((value) => typeof value === 'string');
  const metricNames = [...named.map(({ name }) => name), ...Object.values(shared.groupEnergyNames)];
  for (const all of [attributes, metricNames]) {
    for (const name of all) {
      assert.deepEqual(
        all.filter((other) => other.startsWith(`${name}.`)),
        [],
        name,
      );
    }
  }
  const taken = new Set<string>(attributes);
  assert.deepEqual(
    metricNames.filter((name) => taken.has(name)),
    [],
  );
});

test('what is attributed is measured energy that may be summed', () => {
  assert.deepEqual([...shared.meteredEnergyNames], ['hw.energy', 'hw.host.energy']);
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

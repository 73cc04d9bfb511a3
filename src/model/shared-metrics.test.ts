import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raplEnergy } from './energy-domain.js';
import { groupEnergyNames } from './energy-names.js';
import * as ledger from './ledger-metrics.js';
import * as names from './semantic-conventions.js';
import type { Metric } from './series.js';
import * as shared from './shared-metrics.js';
import * as usage from './usage-metrics.js';

const isMetric = (value: unknown): value is Metric =>
  typeof value === 'object' && value !== null && 'valueType' in value;
const metrics = [...Object.values({ ...shared, ...usage, ...ledger }).filter(isMetric), raplEnergy];

/** Names that the semantic conventions have given, against the rules that hold for our own. */
const conventional: ReadonlySet<string> = new Set([
  'hw.status',
  'hw.temperature.limit',
  'hw.fan.speed_ratio',
  'system.cpu.frequency',
  'system.disk.io_time',
  'system.memory.limit',
]);
const named = metrics.filter(({ name }) => !conventional.has(name));

test('each shared metric has a name of its own, a unit and a description for people', () => {
  assert.ok(metrics.length > 10);
  assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
  for (const { name, unit, description, kind, valueType } of named) {
    assert.match(name, /^[a-z0-9_]+(?:\.[a-z0-9_]+)+$/u);
    // UCUM: base units without prefixes, 1 for a ratio, or a word in braces for what is counted one by one.
    assert.match(unit, /^(?:1|J|W|V|A|By|Cel|Hz|g|rpm|s|\{[a-z]+\})$/u, name);
    assert.match(description, /^[A-Z].*[^.]$/u, name);
    assert.equal(valueType, /^(?:\{|rpm$|By$)/u.test(unit) ? 'int' : 'double', name);
    assert.equal(unit === 'W', kind === 'gauge' && name.endsWith('.power'), name);
  }
});

const counterNames: Readonly<Partial<Record<string, RegExp>>> = {
  J: /(?:^|\.)energy$/u,
  By: /\.io$/u,
  s: /\.time$/u,
  g: /\.carbon\.[a-z]+$/u,
  '{event}': /\.event\.count$/u,
};

test('a counter of seconds, joules, bytes or grams is called time, energy, io or carbon', () => {
  for (const { name, unit, kind } of named) {
    if (kind === 'counter') assert.match(name, counterNames[unit] ?? /$^/u);
  }
});

test('the energy of each view has a name of its own, which no measured energy has', () => {
  const published = [...Object.values(groupEnergyNames), ledger.processEnergy.name];
  const measured = [shared.hwEnergy.name, shared.hostEnergy.name, shared.meterEnergy.name, raplEnergy.name];
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

test('what is counted one by one is an up-down counter that is called count', () => {
  for (const { name, unit, kind } of named) {
    // An event that occurred is not taken back.
    if (unit === '{event}') continue;
    assert.equal(name.endsWith('.count'), unit.startsWith('{'), name);
    if (unit !== 'By') assert.equal(kind === 'updowncounter', unit.startsWith('{'), name);
  }
});

test('no name is the namespace of another, and no metric is called as an attribute', () => {
  const attributes = Object.values(names).filter((value) => typeof value === 'string');
  const metricNames = [...named.map(({ name }) => name), ...Object.values(groupEnergyNames)];
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

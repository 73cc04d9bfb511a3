import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric } from '../../src/model/series.js';
import { translateMetric } from '../../src/prometheus/names.js';
import { formatValue, renderBody, renderPage, type Family, type Samples } from './exposition.js';

function familyOf(metric: Omit<Metric, 'valueType'>): Family {
  const whole: Metric = { ...metric, valueType: 'double' };
  return { ...translateMetric(whole), metric: whole, entries: new Set() };
}

const energy = familyOf({
  name: 'hw.energy',
  unit: 'J',
  kind: 'counter',
  description: 'Says "J" and \\\nmore',
});
const families: readonly Samples[] = [
  { family: energy, prefixes: ['hw_energy_joules_total{hw_id="a"} '], values: [1.5] },
  {
    family: familyOf({ name: 'load', unit: '1', kind: 'gauge', description: '' }),
    prefixes: ['load_ratio '],
    values: [0.25],
  },
];

test('formatValue writes whole numbers without an exponent, and infinity as Go does', () => {
  assert.equal(formatValue(2 ** 53), '9007199254740992');
  assert.equal(formatValue(0.1), '0.1');
  assert.equal(formatValue(1e-9), '1e-9');
  assert.equal(formatValue(-Infinity), '-Inf');
  assert.equal(formatValue(Infinity), '+Inf');
});

test('renderPage writes classic text', async () => {
  const body = await renderBody({ host: { 'host.name': 'x' }, families, hasEnergy: true }, 'classic');
  assert.equal(
    renderPage(body, 'classic'),
    String.raw`# HELP target_info Target metadata
# TYPE target_info gauge
target_info{host_name="x"} 1
# HELP hw_energy_joules_total Says "J" and \\\nmore
# TYPE hw_energy_joules_total counter
hw_energy_joules_total{hw_id="a"} 1.5
# TYPE load_ratio gauge
load_ratio 0.25
`,
  );
});

test('renderPage writes OpenMetrics', async () => {
  const body = await renderBody({ host: { 'host.name': 'x' }, families, hasEnergy: true }, 'classic');
  assert.equal(
    renderPage(body, 'openmetrics'),
    String.raw`# HELP target Target metadata
# TYPE target info
target_info{host_name="x"} 1
# HELP hw_energy_joules Says \"J\" and \\\nmore
# TYPE hw_energy_joules counter
# UNIT hw_energy_joules joules
hw_energy_joules_total{hw_id="a"} 1.5
# TYPE load_ratio gauge
# UNIT load_ratio ratio
load_ratio 0.25
# EOF
`,
  );
});

test('renderPage writes an empty page, when nothing is known', async () => {
  const body = await renderBody({ host: {}, families: [], hasEnergy: false }, 'classic');
  assert.equal(renderPage(body, 'classic'), '');
  assert.equal(renderPage(body, 'openmetrics'), '# EOF\n');
});

test('renderBody gives way to others, when a family is long', async () => {
  const prefixes = Array.from({ length: 10_000 }, (_, i) => `x{i="${i}"} `);
  const body = renderBody(
    {
      host: {},
      hasEnergy: true,
      families: [{ family: energy, prefixes, values: prefixes.map(() => 1) }],
    },
    'classic',
  );
  let turns = 0;
  const count = () => {
    turns += 1;
    if (turns < 1000) timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  const { blocks } = await body;
  clearImmediate(timer);
  assert.ok(turns >= 5, `${turns} turns`);
  assert.equal(blocks[0].lines.split('\n').length, 10_001);
});

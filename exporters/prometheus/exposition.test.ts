import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Metric, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { formatValue } from '../../src/prometheus/names.js';
import { holdsFor } from '../../src/testing/property.fixture.js';
import { renderLines, renderText } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

const energy: Metric = {
  name: 'hw.energy',
  unit: 'J',
  kind: 'counter',
  description: 'Says "J" and \\\nmore',
  valueType: 'double',
};
const load: Metric = { ...energy, name: 'load', unit: '1', kind: 'gauge', description: '' };

const resource = { attributes: { 'host.name': 'x' } };

function seriesOf(metric: Metric, id?: string, start = 0n): Series {
  return { metric, resource, attributes: id === undefined ? {} : { 'hw.id': id }, start };
}

function createStore(host = {}, hasStarts = false): SeriesStore {
  const options = { identityLabels: [], common: {}, endedForMs: 0, warn: () => {} };
  return new SeriesStore({ ...options, host, hasStarts });
}

const two = [seriesOf(energy, 'a'), seriesOf(load)];
const twoRows = createRow(two, 0n, Float64Array.of(1.5, 0.25));

test('formatValue writes integers without an exponent, and infinity as Go does', () => {
  assert.equal(formatValue(2 ** 53), '9007199254740992');
  assert.equal(formatValue(0.1), '0.1');
  assert.equal(formatValue(1e-9), '1e-9');
  assert.equal(formatValue(-Infinity), '-Inf');
  assert.equal(formatValue(Infinity), '+Inf');
});

test('writePage writes classic text', () => {
  const store = createStore({ 'host.name': 'x' });
  store.take(twoRows, 0);
  assert.equal(
    renderText(store.takeSnapshot(0), 'classic'),
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

test('writePage writes OpenMetrics', () => {
  const store = createStore({ 'host.name': 'x' });
  store.take(twoRows, 0);
  assert.equal(
    renderText(store.takeSnapshot(0), 'openmetrics'),
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

test('writePage writes an empty page without series', () => {
  const store = createStore();
  assert.equal(renderText(store.takeSnapshot(0), 'classic'), '');
  assert.equal(renderText(store.takeSnapshot(0), 'openmetrics'), '# EOF\n');
});

test('writePage writes the start of counters in OpenMetrics, and the new one when a counter starts again', () => {
  const store = createStore({}, true);
  const start = 1_795_782_223_623_456_789n;
  store.take(createRow([seriesOf(energy, 'a', start), two[1]], 0n, Float64Array.of(1, 2)), 0);
  const read = (format: 'classic' | 'openmetrics') => renderLines(store.takeSnapshot(0), format);
  assert.deepEqual(read('openmetrics'), [
    'hw_energy_joules_total{hw_id="a"} 1',
    'hw_energy_joules_created{hw_id="a"} 1795782223.623',
    'load_ratio 2',
  ]);
  assert.deepEqual(read('classic'), ['hw_energy_joules_total{hw_id="a"} 1', 'load_ratio 2']);
  store.take(createRow([seriesOf(energy, 'a', start + 10n ** 9n)], 0n, Float64Array.of(10)), 0);
  assert.deepEqual(read('openmetrics').slice(0, 2), [
    'hw_energy_joules_total{hw_id="a"} 10',
    'hw_energy_joules_created{hw_id="a"} 1795782224.623',
  ]);
  const other = createStore({}, true);
  other.take(createRow([seriesOf(energy, 'a', 0n)], 0n, Float64Array.of(10)), 0);
  assert.deepEqual(renderLines(other.takeSnapshot(0), 'openmetrics'), [
    'hw_energy_joules_total{hw_id="a"} 10',
  ]);
});

/** The page after the three lines of the machine. */
function renderFamilies(store: SeriesStore, format: 'classic' | 'openmetrics'): string {
  return renderText(store.takeSnapshot(0), format).replace(/^(?:.*\n){3}/u, '');
}

const allocated: Metric = { ...load, name: 'alloc_bytes', unit: '' };
const allocatedTotal: Metric = { ...allocated, name: 'alloc_bytes_total', kind: 'counter' };

for (const metrics of [
  [allocated, allocatedTotal],
  [allocatedTotal, allocated],
]) {
  test(`writePage writes a gauge and a counter that differ by _total if the ${metrics[0].kind} comes first`, () => {
    const store = createStore({}, true);
    for (const metric of metrics) {
      const value = metric.kind === 'counter' ? 2 : 1;
      store.take(createRow([seriesOf(metric)], 0n, Float64Array.of(value)), 0);
      // The text that was written before both were known is not reused.
      renderText(store.takeSnapshot(0), 'openmetrics');
    }
    assert.equal(
      renderFamilies(store, 'classic'),
      `# TYPE alloc_bytes gauge
alloc_bytes 1
# TYPE alloc_bytes_total counter
alloc_bytes_total 2
`,
    );
    assert.equal(
      renderFamilies(store, 'openmetrics'),
      `# TYPE alloc_bytes gauge
alloc_bytes 1
# TYPE alloc_bytes_total unknown
alloc_bytes_total 2
# EOF
`,
    );
  });
}

test('writePage keeps the names of counters of a summary, which have no type in OpenMetrics', () => {
  const store = createStore({}, true);
  const count: Metric = { ...allocated, name: 'gc_seconds_count', description: 'A summary', kind: 'counter' };
  store.take(createRow([seriesOf(count)], 0n, Float64Array.of(3)), 0);
  assert.equal(
    renderFamilies(store, 'classic'),
    '# HELP gc_seconds_count A summary\n# TYPE gc_seconds_count counter\ngc_seconds_count 3\n',
  );
  assert.equal(
    renderFamilies(store, 'openmetrics'),
    '# HELP gc_seconds_count A summary\n# TYPE gc_seconds_count unknown\ngc_seconds_count 3\n# EOF\n',
  );
});

test('writePage yields to other work within a long family', () => {
  const store = createStore();
  const series = Array.from({ length: 10_000 }, (_, i) => seriesOf(energy, `${i}`));
  store.take(createRow(series, 0n, new Float64Array(series.length).fill(1)), 0);
  const snapshot = store.takeSnapshot(0);
  const sizes = snapshot.families.flatMap(({ blocks }) => blocks.map(({ entries }) => entries.length));
  assert.ok(Math.max(...sizes) <= 128, `${Math.max(...sizes)} lines at a time`);
  assert.equal(renderLines(snapshot).length, 10_000);
});

/** Changes between two pages: values of some series, a gap where undefined, and series that end. */
const steps = fc.array(
  fc.record({
    values: fc.array(
      fc.tuple(
        fc.nat(299),
        fc.option(fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.nat(9)), { nil: NaN, freq: 20 }),
      ),
      { maxLength: 60 },
    ),
    ended: fc.oneof(
      { weight: 4, arbitrary: fc.constant<number[]>([]) },
      fc.array(fc.nat(299), { maxLength: 5 }),
    ),
  }),
  { minLength: 3, maxLength: 10 },
);

test('writePage writes the same as a new page after any changes', () => {
  holdsFor(steps, (all) => {
    const store = createStore();
    // Labels with multi-byte characters, and of different lengths.
    const series = Array.from({ length: 300 }, (_, i) =>
      seriesOf(i % 2 ? energy : load, 'é'.repeat(i % 7) + i),
    );
    const shown = new Map(series.map((one) => [lineOf(one), 1]));
    let nowMs = 0;
    store.take(createRow(series, 0n, new Float64Array(series.length).fill(1)), nowMs);
    renderLines(store.takeSnapshot(nowMs));
    for (const { values, ended } of all) {
      nowMs += 10_000;
      const last = new Map(values);
      const columns = [...last.keys()].map((i) => series[i]);
      store.take(createRow(columns, 0n, Float64Array.from(last.values())), nowMs);
      for (const [i, value] of last) shown.set(lineOf(series[i]), value);
      store.take(
        createEnding(
          ended.map((i) => series[i]),
          0n,
        ),
        nowMs,
      );
      // Long enough for ended series to expire.
      nowMs += 1_000_000;
      store.takeSnapshot(nowMs);
      nowMs += 1_000_000;
      for (const i of ended) {
        shown.delete(lineOf(series[i]));
        series[i] = { ...series[i] };
      }
      const wanted = [...shown].filter(([, value]) => !Number.isNaN(value));
      const lines = renderLines(store.takeSnapshot(nowMs));
      assert.deepEqual(lines.toSorted(), wanted.map(([line, value]) => line + textOf(value)).toSorted());
    }
  });
});

function lineOf({ metric, attributes }: Series): string {
  return `${metric === load ? 'load_ratio' : 'hw_energy_joules_total'}{hw_id="${String(attributes['hw.id'])}"} `;
}

function textOf(value: number): string {
  return String(value).replace(/^-?Infinity$/u, (text) => (text === 'Infinity' ? '+Inf' : '-Inf'));
}

test('a snapshot keeps its page if lines change while it is written', () => {
  const store = createStore();
  const series = Array.from({ length: 1000 }, (_, i) => seriesOf(energy, `${i}`));
  store.take(createRow(series, 0n, new Float64Array(series.length).fill(1.5)), 0);
  const snapshot = store.takeSnapshot(0);
  const wanted = renderText(snapshot, 'openmetrics');
  store.take(createRow(series, 0n, new Float64Array(series.length).fill(22.25)), 0);
  store.take(createEnding(series.slice(0, 500), 0n), 0);
  store.takeSnapshot(1_000_000);
  store.take(createRow([seriesOf(energy, 'new')], 0n, Float64Array.of(3)), 1_000_000);
  assert.notEqual(renderText(store.takeSnapshot(2_000_000), 'openmetrics'), wanted);
  assert.equal(renderText(snapshot, 'openmetrics'), wanted);
});

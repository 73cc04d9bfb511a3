import assert from 'node:assert/strict';
import test from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/contract/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { schema } from './config.js';
import { factory } from './factory.js';

const epoch = 1_800_000_000_000_000_000n;

function unixNs(seconds: number): bigint {
  return epoch + BigInt(Math.round(seconds * 1e9));
}

function createMeter(startS = 0, id = 'package-0'): Series {
  const attributes = { 'hw.type': 'cpu', 'hw.id': id };
  return { metric: hwEnergy, resource: { attributes: {} }, attributes, start: unixNs(startS) };
}

function create(settings: object = {}) {
  const out = createTableCollector();
  const processor = factory.create(parseSettings(schema, settings), createFakeContext(), out);
  return {
    out,
    consume: processor.consume.bind(processor),
    /** Seconds and watts of every row of power that was forwarded, the first column only. */
    rows: () =>
      out.tables.flatMap(({ series, offsets, values, epoch: from }) => {
        if (series.length === 0 || !series[0].metric.name.endsWith('.power')) return [];
        return Array.from(offsets, (offset, row) => [
          Number(from - epoch + BigInt(offset)) / 1e9,
          values[row * series.length],
        ]);
      }),
  };
}

/** Plays rows of seconds and joules, one table each. */
function play(settings: object, rows: readonly (readonly [number, number])[], startS = rows[0][0]) {
  const power = create(settings);
  const series = [createMeter(startS)];
  for (const [atS, joules] of rows) {
    power.consume(createRow(series, unixNs(atS), Float64Array.of(joules)));
  }
  return power;
}

test('power is the growth of energy over the time between two readings', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2.5, 40],
    [3.5, 41],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2.5, 20],
    [3.5, 1],
  ]);
});

test('power keeps resource and attributes and names itself after the energy', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2, 20],
  ]);
  const { series } = power.out.tables[3];
  assert.equal(series[0].metric.name, 'hw.power');
  assert.equal(series[0].metric.unit, 'W');
  assert.equal(series[0].metric.kind, 'gauge');
  assert.deepEqual(series[0].attributes, { 'hw.type': 'cpu', 'hw.id': 'package-0' });
});

test('power takes every reading where they are as rare as windows, be they early or late', () => {
  const power = play({}, [
    [0, 0],
    [0.999, 10],
    [2.001, 20],
    [3, 30],
  ]);
  assert.deepEqual(
    power.rows().map(([atS]) => atS),
    [0.999, 2.001, 3],
  );
});

test('power ends windows at multiples of their length', () => {
  const power = play({}, [
    [0.3, 0],
    [0.7, 4],
    [1.1, 8],
    [1.5, 12],
    [1.9, 16],
    [2.2999, 20],
    [2.7, 24],
    [2.9999, 27],
  ]);
  assert.deepEqual(
    power.rows().map(([atS]) => atS),
    [1.1, 1.9, 2.9999],
  );
});

test('power gives one row a window from tables of many rows', () => {
  const power = create({ window: '100ms' });
  const series = [createMeter()];
  const offsets = Float64Array.from({ length: 10_001 }, (_, i) => i * 1e5);
  const values = Float64Array.from(offsets, (offset) => 25e-9 * offset);
  power.consume({ series, epoch, offsets, values });
  const rows = power.rows();
  assert.equal(rows.length, 10);
  assert.ok(rows.every(([, watts]) => Math.abs(watts - 25) < 1e-9));
  assert.equal(power.out.tables.length, 2);
});

test('power spans readings that failed', () => {
  const power = play({}, [
    [0, 0],
    [1, 10],
    [2, 20],
    [3, NaN],
    [4, 60],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2, 10],
    [3, NaN],
    [4, 20],
  ]);
});

test('power counts a new counter from its start', () => {
  const power = create();
  const next = [createMeter(1.5, 'package-1')];
  for (const [atS, joules] of [
    [2, 3],
    [2.5, 8],
    [3, 13],
  ]) {
    power.consume(createRow(next, unixNs(atS), Float64Array.of(joules)));
  }
  assert.deepEqual(power.rows(), [
    [2, 6],
    [3, 10],
  ]);
});

test('power counts a counter that is older than the collector from its first reading', () => {
  const power = play(
    {},
    [
      [0, 1e9],
      [1, 1e9 + 10],
      [2, 1e9 + 30],
    ],
    -3600,
  );
  assert.deepEqual(power.rows(), [
    [1, 10],
    [2, 20],
  ]);
});

test('power has no spike where a counter falls', () => {
  const power = play({}, [
    [0, 0],
    [1, 100],
    [2, 200],
    [3, 5],
    [4, 15],
    [5, 35],
  ]);
  assert.deepEqual(power.rows(), [
    [1, 100],
    [2, 100],
    [4, 10],
    [5, 20],
  ]);
});

test('power gives all series of a table at the same instants', () => {
  const power = create();
  const old = createMeter();
  power.consume(createRow([old], unixNs(0), Float64Array.of(0)));
  power.consume(createRow([old], unixNs(0.6), Float64Array.of(6)));
  const both = [old, createMeter(0.6, 'package-1')];
  for (const [atS, first, second] of [
    [0.6, 6, 0],
    [0.8, 8, 1],
    [0.9, 9, 1.5],
    [1.0, 10, 2],
    [1.6, 16, 5],
    [2.0, 20, 7],
  ]) {
    power.consume(createRow(both, unixNs(atS), Float64Array.of(first, second)));
  }
  const tables = power.out.tables.filter(({ series }) => series.at(0)?.metric.name === 'hw.power');
  assert.deepEqual(
    tables.map(({ epoch: at, values }) => [at, ...values]),
    [
      [unixNs(1.0), 10, 5],
      [unixNs(2.0), 10, 5],
    ],
  );
  assert.equal(tables[0].series, tables[1].series);
});

test('power ends with the energy that it comes from', () => {
  const power = create();
  const series = [createMeter()];
  power.consume(createRow(series, unixNs(0), Float64Array.of(0)));
  power.consume(createEnding(series, unixNs(1)));
  assert.deepEqual(
    power.out.tables.at(-1)?.ended?.map(({ metric }) => metric.name),
    ['hw.power'],
  );
});

test('power leaves other metrics alone', () => {
  const power = play({ metrics: ['process.energy'] }, [
    [0, 0],
    [1, 10],
  ]);
  assert.equal(power.out.tables.length, 2);
});

test('power refuses metrics that are no energy', () => {
  const problems = factory.check?.(parseSettings(schema, { metrics: ['hw.energy', 'system.cpu.time'] }));
  assert.deepEqual(problems, [
    'metrics: expected energy counters, whose names end in ".energy", found "system.cpu.time"',
  ]);
});

/** A counter of what attribution charged to a process or a cgroup. */
function createAttributed(name: string, id: string, startS: number): Series {
  const metric = { ...hwEnergy, name };
  const attributes = { 'hw.type': 'cpu', 'energy.attribution.model': 'cpu_time' };
  return { metric, resource: { attributes: { id } }, attributes, start: unixNs(startS) };
}

test('power of counters that began within a window is the mean over the window, so that parts add up to the whole', () => {
  const power = create();
  const whole = createAttributed('linux.cgroup.energy', '/a', 0);
  const [one, two] = [0, 0.9].map((startS) => createAttributed('process.energy', String(startS), startS));
  const three = createAttributed('process.energy', '1.75', 1.75);
  power.consume(createRow([whole, one, two], unixNs(1), Float64Array.of(7, 5, 2)));
  power.consume(createRow([whole, one, two, three], unixNs(2), Float64Array.of(20, 7, 10, 3)));
  const rows = power.out.tables.filter(({ series }) => series[0].metric.name.endsWith('.power'));
  assert.deepEqual(
    rows.map(({ values }) => Array.from(values)),
    [
      [7, 5, 2],
      [13, 2, 8, 3],
    ],
  );
});

test('power of a counter that is the only one of its window is the mean over the window, too', () => {
  const power = create();
  const [first, second] = [0, 1.5].map((startS) =>
    createAttributed('process.energy', String(startS), startS),
  );
  power.consume(createRow([first], unixNs(1), Float64Array.of(5)));
  power.consume(createEnding([first], unixNs(1)));
  power.consume(createRow([second], unixNs(2), Float64Array.of(3)));
  assert.deepEqual(power.rows(), [
    [1, 5],
    [2, 3],
  ]);
});

function isPower({ metric }: Series): boolean {
  return metric.name.endsWith('.power');
}

/** Seconds and watts of each gauge, by the `id` of its resource; `end`: its last instant, where it has ended. */
function describeGauges({ out }: ReturnType<typeof create>) {
  const gauges: Record<string, unknown[]> = {};
  for (const { series, epoch: at, values, ended = [] } of out.tables) {
    const note = (one: Series, what: unknown) =>
      (gauges[String(one.resource.attributes['id'])] ??= []).push(what);
    for (const [i, one] of series.entries())
      if (isPower(one)) note(one, [Number(at - epoch) / 1e9, values[i]]);
    for (const one of ended) if (isPower(one)) note(one, 'end');
  }
  return gauges;
}

test('power of a process that ends within a window is the mean over the window, so that parts add up to the whole', () => {
  const power = create({ window: '5s' });
  const whole = createAttributed('linux.cgroup.energy', '/a', 0);
  const [stays, ends] = ['stays', 'ends'].map((id) => createAttributed('process.energy', id, 0));
  for (let second = 1; second <= 10; second++) {
    const joules = Math.min(second, 8);
    if (second <= 8) {
      const row = Float64Array.of(10 * second, 5 * second, 5 * joules);
      power.consume(createRow([whole, stays, ends], unixNs(second), row));
      if (second === 8) power.consume(createEnding([ends], unixNs(8)));
      continue;
    }
    power.consume(
      createRow([whole, stays], unixNs(second), Float64Array.of(80 + 5 * (second - 8), 5 * second)),
    );
  }
  assert.deepEqual(describeGauges(power), {
    '/a': [
      [5, 10],
      [10, 8],
    ],
    stays: [
      [5, 5],
      [10, 5],
    ],
    ends: [[5, 5], [10, 3], 'end'],
  });
});

test('power of a process that was born and ended within a window is the mean over the window', () => {
  const power = create({ window: '5s' });
  const whole = createAttributed('linux.cgroup.energy', '/a', 0);
  const short = createAttributed('process.energy', 'short', 2);
  const offsets = [1, 2, 3, 4, 5].map((second) => second * 1e9);
  power.consume({
    series: [whole, short],
    epoch,
    offsets: Float64Array.from(offsets.slice(0, 4)),
    values: Float64Array.of(1, NaN, 2, NaN, 3, 7, 4, NaN),
  });
  power.consume(createEnding([short], unixNs(4)));
  power.consume(createRow([whole], unixNs(5), Float64Array.of(15)));
  power.consume(createRow([whole], unixNs(10), Float64Array.of(15)));
  assert.deepEqual(describeGauges(power), {
    '/a': [
      [5, 3],
      [10, 0],
    ],
    short: [[5, 1.4], 'end'],
  });
});

test('power of a process that ends and begins again within a window is one gauge with the mean of both', () => {
  const power = create({ window: '5s' });
  const series = [createAttributed('process.energy', 'again', 0)];
  power.consume(createRow(series, unixNs(1), Float64Array.of(6)));
  power.consume(createEnding(series, unixNs(1)));
  const later = [createAttributed('process.energy', 'again', 3)];
  power.consume(createRow(later, unixNs(4), Float64Array.of(3)));
  power.consume(createRow(later, unixNs(5), Float64Array.of(4)));
  power.consume(createEnding(later, unixNs(5)));
  assert.deepEqual(describeGauges(power), { again: [[5, 2], 'end'] });
});

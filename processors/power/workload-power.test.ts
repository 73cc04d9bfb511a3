import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { create, epoch, unixNs } from './power.fixture.js';

/** A counter of the energy attributed to a process or a cgroup. */
function createAttributed(name: string, id: string, startS: number): Series {
  const metric = { ...hwEnergy, name };
  const attributes = { 'hw.type': 'cpu', 'energy.attribution.model': 'cpu_time' };
  return { metric, resource: { attributes: { id } }, attributes, start: unixNs(startS) };
}

test('power of counters that started within a window is the mean over the window, so that parts add up to the whole', () => {
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

test('power of a counter that is the only one in its window is also the mean over the window', () => {
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

/** Seconds and watts of each gauge, by the `id` of its resource; `end`: its last instant, if it has ended. */
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

test('power of a process that started and ended within a window is the mean over the window', () => {
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

test('power of a process that ends and restarts within a window is one gauge with the mean of both', () => {
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

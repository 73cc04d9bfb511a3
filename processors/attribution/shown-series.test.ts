import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource, Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { ShownSeries } from './shown-series.js';

function createSeries(name: string, resource: Resource): Series {
  const metric = { name, unit: 'By', description: '', kind: 'gauge', valueType: 'int' } as const;
  return { metric, resource, attributes: {}, start: 0n };
}

const [host, one, two] = ['host', 'one', 'two'].map((name): Resource => ({ attributes: { name } }));
const series = [
  createSeries('process.memory.usage', one),
  createSeries('system.memory.usage', host),
  createSeries('process.memory.usage', two),
];
const row = createRow(series, 1n, Float64Array.of(1, 2, 3));

function create(...first: Resource[]) {
  const shown = { version: 1, all: new Set(first) };
  const has = (resource: Resource) => shown.all.has(resource);
  const filter = new ShownSeries({
    get version() {
      return shown.version;
    },
    has,
  });
  return {
    filter,
    show(...resources: Resource[]) {
      shown.version += 1;
      shown.all = new Set(resources);
    },
  };
}

test('ShownSeries forwards a table unchanged if all of it is shown', () => {
  const { filter } = create(one, two);
  assert.equal(filter.apply(row), row);
  const ending = createEnding(series, 2n);
  assert.equal(filter.apply(ending), ending);
});

test('ShownSeries leaves out the series of processes that are not shown, and their ends', () => {
  const { filter } = create(two);
  const forwarded = filter.apply(row);
  assert.deepEqual(forwarded?.series, [series[1], series[2]]);
  assert.deepEqual(forwarded.values, Float64Array.of(2, 3));
  assert.equal(filter.apply(row)?.series, forwarded.series);
  assert.equal(filter.apply(createEnding([series[0]], 2n)), undefined);
  assert.deepEqual(filter.apply(createEnding(series, 2n))?.ended, [series[1], series[2]]);
});

test('ShownSeries forwards nothing if nothing remains', () => {
  const { filter } = create();
  assert.equal(filter.apply(createRow([series[0]], 1n, Float64Array.of(1))), undefined);
});

test('ShownSeries ends the series of a process that is no longer shown, and starts others later', () => {
  const { filter, show } = create(one);
  filter.apply(row);
  assert.equal(filter.sweep(2n), undefined);
  show(two);
  assert.deepEqual(filter.sweep(2n)?.ended, [series[0]]);
  assert.deepEqual(filter.apply(row)?.series, [series[1], series[2]]);
  show(one, two);
  assert.equal(filter.sweep(3n), undefined);
  const again = filter.apply(row)?.series ?? [];
  assert.deepEqual(again, series);
  assert.notEqual(again[0], series[0]);
  assert.deepEqual(filter.apply(createEnding([series[0]], 4n))?.ended, [again[0]]);
});

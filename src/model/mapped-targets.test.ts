import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MappedSeries } from './mapped-series.js';
import { MappedTargets } from './mapped-targets.js';
import { setPublisher, type Series } from './series.js';

function createSeries(id: number, host = 'a'): Series {
  return {
    metric: { name: 'a', unit: 'J', description: '', kind: 'counter', valueType: 'double' },
    resource: { attributes: { host } },
    attributes: { id },
    start: 0n,
  };
}

/** No series is the only one of its mapped one. */
function createTargets(): MappedTargets {
  return new MappedTargets((source) => source);
}

function add(targets: MappedTargets, series: Series): MappedSeries {
  const target = new MappedSeries(series);
  targets.add(series, target);
  return target;
}

test('MappedTargets finds few and many series of a resource, until they are removed', () => {
  for (const count of [1, 5, 16, 17, 100]) {
    const targets = createTargets();
    const series = Array.from({ length: count }, (_, id) => createSeries(id));
    const added = series.map((one) => add(targets, one));
    for (let id = 0; id < count; id++) assert.equal(targets.find(createSeries(id)), added[id]);
    assert.equal(targets.find(createSeries(count)), undefined);
    for (let id = 0; id < count; id++) {
      targets.remove(series[id]);
      assert.equal(targets.find(createSeries(id)), undefined);
      if (id + 1 < count) assert.equal(targets.find(createSeries(id + 1)), added[id + 1]);
    }
  }
});

test('MappedTargets distinguishes resources and publishers', () => {
  const targets = createTargets();
  const added = add(targets, createSeries(1));
  assert.equal(targets.find(createSeries(1, 'b')), undefined);
  const published = createSeries(1);
  setPublisher(published, 'rapl');
  assert.equal(targets.find(published), undefined);
  assert.equal(targets.find(createSeries(1)), added);
});

test('MappedTargets removes no series that is only equal to the one that it has', () => {
  const targets = createTargets();
  for (let id = 0; id < 20; id += 1) add(targets, createSeries(id));
  for (const id of [0, 19]) {
    targets.remove(createSeries(id));
    assert.ok(targets.find(createSeries(id)), String(id));
  }
});

test('MappedTargets finds the only series of a mapped one by what it becomes', () => {
  for (const count of [1, 20]) {
    const sources = Array.from({ length: count }, (_, id) => createSeries(id, 'source'));
    const mapped = new Map(sources.map((source, id) => [source, createSeries(id)]));
    const targets = new MappedTargets((source) => mapped.get(source) ?? source);
    for (const [source, series] of mapped) targets.add(series, source);
    for (const [id, source] of sources.entries()) {
      assert.equal(targets.find(createSeries(id)), source);
      assert.equal(targets.find(source), undefined);
    }
    for (const series of mapped.values()) targets.remove(series);
    assert.equal(targets.find(createSeries(0)), undefined);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
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

test('MappedTargets finds few and many series of a resource, until they are removed', () => {
  for (const count of [1, 5, 16, 17, 100]) {
    const targets = new MappedTargets();
    const series = Array.from({ length: count }, (_, id) => createSeries(id));
    const added = series.map((one) => targets.add(one));
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
  const targets = new MappedTargets();
  const added = targets.add(createSeries(1));
  assert.equal(targets.find(createSeries(1, 'b')), undefined);
  const published = createSeries(1);
  setPublisher(published, 'rapl');
  assert.equal(targets.find(published), undefined);
  assert.equal(targets.find(createSeries(1)), added);
});

test('MappedTargets removes no series that is only equal to the one that it has', () => {
  const targets = new MappedTargets();
  for (let id = 0; id < 20; id += 1) targets.add(createSeries(id));
  for (const id of [0, 19]) {
    targets.remove(createSeries(id));
    assert.ok(targets.find(createSeries(id)), String(id));
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createFakeContext,
  createRow,
  createTableCollector,
  parseSettings,
  type Series,
} from 'joulemetry/plugin';
import { factory } from './factory.js';

function createSeries(name: string): Series {
  const metric = { name, unit: 'J', description: 'A counter', kind: 'counter', valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes: {}, start: 0n };
}

test('scale multiplies one metric, and replaces each of its series once', () => {
  const settings = parseSettings(factory.schema, { metric: 'a', factor: 2 });
  const collector = createTableCollector();
  const processor = factory.create(settings, createFakeContext(), collector);
  const [a, b] = ['a', 'b'].map(createSeries);
  processor.consume(createRow([a, b], 1n, Float64Array.of(1, 1)));
  processor.consume({ ...createRow([b, a], 2n, Float64Array.of(5, 5)), ended: [a] });
  const [first, second] = collector.tables;
  assert.deepEqual([...first.values, ...second.values], [2, 1, 5, 10]);
  assert.notEqual(first.series[0], a);
  assert.deepEqual(second.series, [b, first.series[0]]);
  assert.equal(second.series[1], first.series[0]);
  assert.deepEqual(second.ended, [first.series[0]]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/contract/fakes.js';
import { watchGaps } from './telemetry.js';
import { createSeries } from './domain.js';

const columns = {
  interface: 'powercap' as const,
  domains: [
    { kind: 'package' as const, package: 0 },
    { kind: 'dram' as const, package: 0 },
  ],
  agesMs: [0, 0],
};
const series = createSeries(columns, { attributes: {} }, 0n);

function watch() {
  const log = createLogCollector();
  const next = createTableCollector();
  const added: [number, unknown][] = [];
  const context = createFakeContext({ id: 'rapl', log });
  context.meter.createCounter = () => ({ add: (count, labels) => void added.push([count, labels]) });
  const consumer = watchGaps(context, next, () => 'EIO');
  const consume = (...rows: number[][]) => {
    const values = Float64Array.from(rows.flat());
    return consumer.consume({ series, epoch: 0n, offsets: Float64Array.from(rows.keys()), values });
  };
  return { consume, next, log, added };
}

test('watchGaps hands tables on as they are', () => {
  const { consume, next } = watch();
  assert.equal(consume([0, 0], [1, Number.NaN]), true);
  assert.deepEqual(next.tables[0]?.values, Float64Array.of(0, 0, 1, Number.NaN));
});

test('watchGaps counts every reading that failed', () => {
  const { consume, added } = watch();
  consume([0, 0]);
  consume([1, Number.NaN], [Number.NaN, Number.NaN]);
  assert.deepEqual(added, [[3, { receiver: 'rapl' }]]);
});

test('watchGaps says once that a domain fails for a whole table and once that it is read again', () => {
  const { consume, log } = watch();
  consume([0, 0], [1, Number.NaN]);
  consume([2, Number.NaN], [3, Number.NaN]);
  consume([4, Number.NaN]);
  consume([5, 1], [6, Number.NaN]);
  consume([7, 3]);
  assert.deepEqual(log.lines, [
    'warn: Cannot read the energy of dram-0: EIO; trying again at every reading',
    'info: The energy of dram-0 is read again',
  ]);
});

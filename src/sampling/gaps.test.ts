import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createFakeContext,
  createLogCollector,
  createMeterReader,
  createTableCollector,
} from '../component/fakes.js';
import type { Series } from '../model/series.js';
import { watchGaps } from './gaps.js';

const energy = {
  name: 'hw.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
} as const;
const power = { ...energy, name: 'hw.power', unit: 'W', kind: 'gauge' } as const;
const resource = { attributes: {} };
const createCounters = (...ids: string[]): readonly Series[] =>
  ids.map((id) => ({ metric: energy, resource, attributes: { 'hw.id': id }, start: 0n }));
const two = createCounters('a', 'b');

function watch(failingTables = 2) {
  const log = createLogCollector();
  const next = createTableCollector();
  const meter = createMeterReader();
  const context = createFakeContext({ id: 'rapl', log, meter: meter.meter });
  const consumer = watchGaps(context, next, {
    failingTables,
    describe: ({ attributes }) => ({
      what: `counter ${attributes['hw.id']}`,
      reason: attributes['hw.id'] === 'd' ? 'ENOENT' : 'EIO',
    }),
  });
  const consume = (series: readonly Series[], ...rows: number[][]) => {
    const values = Float64Array.from(rows.flat());
    return consumer.consume({ series, epoch: 0n, offsets: Float64Array.from(rows.keys()), values });
  };
  const countGaps = async () => (await meter.read())['joulemetry.sampler.gaps{rapl}'];
  return { consume, next, log, countGaps };
}

test('watchGaps passes tables on unchanged', () => {
  const { consume, next } = watch();
  assert.equal(consume(two, [0, 0], [1, NaN]), true);
  assert.deepEqual(next.tables[0]?.values, Float64Array.of(0, 0, 1, NaN));
});

test('watchGaps counts every reading of a counter that failed, from 0 on', async () => {
  const { consume, countGaps } = watch();
  consume(two, [0, 0]);
  assert.equal(await countGaps(), 0);
  consume(two, [1, NaN], [NaN, NaN]);
  assert.equal(await countGaps(), 3);
});

test('watchGaps counts and logs no gauge without a value', async () => {
  const { consume, log, countGaps } = watch();
  const series = [...two, { ...two[0], metric: power }] as readonly Series[];
  for (let i = 0; i < 3; i++) consume(series, [i, i, NaN]);
  assert.deepEqual([await countGaps(), log.lines], [0, []]);
});

test('watchGaps logs once that a counter fails for two whole tables and once that it is read again', () => {
  const { consume, log } = watch();
  consume(two, [0, NaN]);
  consume(two, [0, 0], [1, NaN]);
  consume(two, [2, NaN], [3, NaN]);
  assert.deepEqual(log.lines, []);
  consume(two, [4, NaN]);
  consume(two, [4, NaN]);
  consume(two, [5, 1], [6, NaN]);
  consume(two, [7, 3]);
  assert.deepEqual(log.lines, [
    'warn: Cannot read counter b: EIO; trying again at every reading',
    'info: Reading counter b again',
  ]);
});

test('watchGaps logs a counter at its first table without a reading where none may lack one', () => {
  const { consume, log } = watch(1);
  consume(two, [0, NaN]);
  assert.equal(log.lines.length, 1);
});

test('watchGaps logs counters that fail for one reason in one line, and goes on when the series are described again', () => {
  const { consume, log } = watch();
  const all = createCounters('a', 'b', 'c', 'd', 'e');
  const nothing = [NaN, NaN, NaN, NaN, NaN];
  consume(all, nothing);
  consume([...all], nothing);
  consume([...all], nothing);
  assert.deepEqual(log.lines, [
    'warn: Cannot read counter a, counter b, counter c and 1 more: EIO; trying again at every reading',
    'warn: Cannot read counter d: ENOENT; trying again at every reading',
  ]);
});

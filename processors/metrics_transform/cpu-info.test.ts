import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { busyTime } from '../../src/model/usage-metrics.js';
import { addCpuInfo, cpuInfo, parseCpuInfo } from './cpu-info.js';
import { seriesOf } from './rig.fixture.js';

const text = `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) CPU: E5
physical id\t: 0
core id\t\t: 3

processor\t: 1
vendor_id\t: GenuineIntel

`;

test('parseCpuInfo returns the labels of each CPU, empty if the kernel does not report them', () => {
  assert.deepEqual(parseCpuInfo(text), [
    {
      processor: '0',
      vendor_id: 'GenuineIntel',
      model_name: 'Intel(R) Xeon(R) CPU: E5',
      physical_id: '0',
      core_id: '3',
    },
    { processor: '1', vendor_id: 'GenuineIntel', model_name: '', physical_id: '', core_id: '' },
  ]);
});

test('addCpuInfo adds a series of 1 for each CPU with the busy time of a machine, and ends these series with it', () => {
  const next = createTableCollector();
  const consumer = addCpuInfo(createLogCollector(), next, () => text);
  const busy = [seriesOf(busyTime)];
  consumer.consume(createRow(busy, 5n, Float64Array.of(7)));
  consumer.consume(createRow(busy, 6n, Float64Array.of(8)));
  consumer.consume(createEnding(busy, 7n));
  const info = next.tables[1].series;
  assert.deepEqual([info.length, [...next.tables[1].values], next.tables[1].epoch], [2, [1, 1], 5n]);
  assert.equal(next.tables[3].series, info, 'the same columns');
  assert.deepEqual(next.tables[5].ended, info);
});

/** In front of a stage that rejects a metric. */
function createRefused(name: string) {
  return addCpuInfo(
    createLogCollector(),
    { consume: ({ series }) => series[0]?.metric.name !== name },
    () => text,
  );
}

test('addCpuInfo rejects when the table is rejected, not when the added rows are', () => {
  const table = createRow([seriesOf(busyTime)], 5n, Float64Array.of(7));
  assert.equal(createRefused(cpuInfo.name).consume(table), true);
  assert.equal(createRefused(busyTime.name).consume(table), false);
});

test('addCpuInfo forwards tables if /proc/cpuinfo cannot be read, with one warning', () => {
  const [log, next] = [createLogCollector(), createTableCollector()];
  const consumer = addCpuInfo(log, next, () => {
    throw new Error('EACCES: permission denied');
  });
  const busy = [seriesOf(busyTime)];
  consumer.consume(createRow(busy, 5n, Float64Array.of(7)));
  consumer.consume(createRow([...busy], 6n, Float64Array.of(8)));
  consumer.consume(createEnding(busy, 7n));
  assert.deepEqual(
    next.tables.map(({ series, ended = [] }) => series.concat(ended)),
    [busy, busy, busy],
  );
  assert.deepEqual(log.lines, [
    'warn: Cannot read /proc/cpuinfo: EACCES: permission denied; kepler_node_cpu_info is left out',
  ]);
});

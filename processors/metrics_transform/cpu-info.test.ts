import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTableCollector } from '../../src/component/fakes.js';
import { busyTime } from '../../src/model/shared-metrics.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { addCpuInfo, parseCpuInfo } from './cpu-info.js';
import { seriesOf } from './rig.fixture.js';

const text = `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Xeon(R) CPU: E5
physical id\t: 0
core id\t\t: 3

processor\t: 1
vendor_id\t: GenuineIntel

`;

test('parseCpuInfo gives the labels of each CPU, empty where the kernel says nothing', () => {
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

test('addCpuInfo adds a series of 1 for each CPU with the busy time of a machine, and ends them with it', () => {
  const next = createTableCollector();
  const consumer = addCpuInfo(next, () => text);
  const busy = [seriesOf(busyTime)];
  consumer.consume(createRow(busy, 5n, Float64Array.of(7)));
  consumer.consume(createRow(busy, 6n, Float64Array.of(8)));
  consumer.consume(createEnding(busy, 7n));
  const info = next.tables[1].series;
  assert.deepEqual([info.length, [...next.tables[1].values], next.tables[1].epoch], [2, [1, 1], 5n]);
  assert.equal(next.tables[3].series, info, 'the same columns');
  assert.deepEqual(next.tables[5].ended, info);
});

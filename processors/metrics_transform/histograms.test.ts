import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistograms } from '../../src/model/check-histograms.js';
import { HistogramRow } from '../../src/model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import { createRig } from './rig.fixture.js';

const duration = { include: 'http.server.request.duration', action: 'update' };
const row = () => rowOf([1, 2, 3], { sum: 4.5, min: 0.05, max: 2 });

/** For each forwarded row: name, unit, attributes, sum, extremes, and bounds or the first index. */
function listRows({ next, log }: ReturnType<typeof createRig>) {
  checkHistograms(next.histograms);
  const one = new HistogramRow();
  const rows = next.histograms.flatMap((table) =>
    table.series.map(({ metric, attributes }, number) => {
      const { sum, min, max, layout } = one.read(table, number);
      const bounds = layout.kind === 'histogram' ? [...layout.bounds] : layout.positiveOffset;
      return [metric.name, metric.unit, attributes, sum, min, max, bounds];
    }),
  );
  return { rows, warnings: log.lines };
}

test('metrics_transform renames histograms and their labels, and converts bounds and sums to another unit', () => {
  const operations = [{ action: 'update_label', label: 'route', new_label: 'path' }];
  const rig = createRig({
    transforms: [{ ...duration, new_name: 'latency', new_unit: 'ms', operations }],
  });
  const series = histogramOf({ attributes: { route: '/' } });
  const other = histogramOf({ name: 'other' });
  rig.processor.consumeHistograms?.(
    histogramTable([
      [series, 2000, row()],
      [other, 2001, row()],
    ]),
  );
  rig.processor.consumeHistograms?.(histogramTable([[series, 3000, row()]], [series]));
  assert.deepEqual(listRows(rig).rows, [
    ['latency', 'ms', { path: '/' }, 4500, 50, 2000, [100, 1000]],
    ['other', 's', {}, 4.5, 0.05, 2, [0.1, 1]],
    ['latency', 'ms', { path: '/' }, 4500, 50, 2000, [100, 1000]],
  ]);
  const [first, last] = rig.next.histograms;
  assert.equal(first.series[0], last.series[0], 'the same series each time');
  assert.deepEqual(last.ended, [first.series[0]]);
  assert.equal(first.series[1], other, 'what is not concerned stays as it is');
});

test('metrics_transform forwards an unchanged table of histograms itself, and drops nothing of a preset', () => {
  for (const settings of [
    { transforms: [{ include: 'a', action: 'update', new_name: 'b' }] },
    { preset: 'kepler' },
  ]) {
    const { processor, next } = createRig(settings);
    const table = histogramTable([[histogramOf(), 2000, row()]]);
    assert.equal(processor.consumeHistograms?.(table), true);
    assert.equal(next.histograms[0], table);
  }
});

test('metrics_transform adds copies of histograms, and deletes those that a transform deletes', () => {
  const rig = createRig({
    transforms: [
      { ...duration, action: 'insert', new_name: 'copy', new_unit: 'ms' },
      { ...duration, operations: [{ action: 'delete_label_value', label: 'route', label_value: '/' }] },
    ],
  });
  const [kept, deleted] = [histogramOf(), histogramOf({ attributes: { route: '/' } })];
  rig.processor.consumeHistograms?.(
    histogramTable([
      [kept, 2000, row()],
      [deleted, 2000, row()],
    ]),
  );
  assert.deepEqual(
    listRows(rig).rows.map(([name, , attributes, sum]) => [name, attributes, sum]),
    [
      ['http.server.request.duration', {}, 4.5],
      ['copy', {}, 4500],
      ['copy', { route: '/' }, 4500],
    ],
  );
});

test('metrics_transform shifts the buckets of exponential histograms by the factor', () => {
  const operations = [{ action: 'experimental_scale_value', experimental_scale: 4 }];
  const rig = createRig({ transforms: [{ include: 'rpc.duration', action: 'update', operations }] });
  const counts = rowOf([0, 1, 2, 3, 0], { layout: powersOfTwo, sum: 20, min: 1.5, max: 8 });
  rig.processor.consumeHistograms?.(histogramTable([[exponentialOf(), 2000, counts]]));
  assert.deepEqual(listRows(rig).rows, [['rpc.duration', 's', {}, 80, 6, 32, 2]]);
});

test('metrics_transform leaves histograms unchanged that it cannot aggregate, with one warning', () => {
  const operations = [{ action: 'aggregate_labels', label_set: [], aggregation_type: 'sum' }];
  const { processor, next, log } = createRig({ transforms: [{ ...duration, operations }] });
  const series = [histogramOf({ attributes: { route: '/' } }), histogramOf()];
  const table = histogramTable(series.map((one) => [one, 2000, row()]));
  processor.consumeHistograms?.(table);
  assert.equal(next.histograms[0], table);
  assert.deepEqual(log.lines, [
    'warn: Cannot aggregate "http.server.request.duration": expected numbers, found histograms; its series are forwarded unchanged',
  ]);
});

test('metrics_transform forwards the first of several histograms that become the same', () => {
  const operations = [{ action: 'update_label', label: 'route', new_label: 'path' }];
  const rig = createRig({ transforms: [{ ...duration, operations }] });
  const series = [{ route: '/' }, { path: '/' }].map((attributes) => histogramOf({ attributes }));
  rig.processor.consumeHistograms?.(histogramTable(series.map((one) => [one, 2000, row()])));
  assert.equal(listRows(rig).rows.length, 1);
  assert.match(rig.log.lines.join(), /Cannot distinguish series of the histogram/u);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../component/queue-storage.js';
import { HistogramRow, HistogramRows } from '../model/histogram-table.js';
import { deriveSeries } from '../model/series.js';
import { createRow } from '../model/table.js';
import { energy, rowOf, start } from './exporter.fixture.js';
import { createLineParts, type LineFormat } from './line-batcher.js';

const plain: LineFormat = {
  describeSeries: ({ metric, attributes }) => ({
    text: `${metric.name} ${attributes['hw.id']} `,
    formatValue: (value) => (Number.isFinite(value) ? String(value) : undefined),
  }),
  endRow: (unixNs) => ` ${unixNs}\n`,
};

function batchOf(
  format: LineFormat,
  batch: { readonly max_points?: number; readonly max_bytes?: number } = {},
) {
  const requests: QueuedRequest[] = [];
  const parts = createLineParts(format, { max_points: 8192, max_bytes: 1e6, ...batch });
  const encoder = parts.createEncoder((request) => requests.push(request));
  const texts = () => requests.map(({ bytes }) => Buffer.from(bytes).toString());
  return { encoder, requests, texts, restore: parts.restore };
}

test('LineBatcher writes a line for each point, except for gaps and values that the format cannot express', () => {
  const { encoder, requests, texts } = batchOf(plain);
  const second = { ...energy, attributes: { 'hw.id': 'é' } };
  encoder.add({
    series: [energy, second],
    epoch: start,
    offsets: Float64Array.of(0, 1000),
    values: Float64Array.of(1, NaN, Infinity, 2.5),
  });
  assert.equal(encoder.points, 2);
  encoder.flush();
  encoder.flush();
  assert.deepEqual(texts(), [`hw.energy package-0 1 ${start}\nhw.energy é 2.5 ${start + 1000n}\n`]);
  assert.deepEqual(
    requests.map(({ points }) => points),
    [2],
  );
});

test('LineBatcher describes the series of an array once, and leaves out those without a text', () => {
  let described = 0;
  const { encoder, texts } = batchOf({
    startRow: () => '> ',
    describeSeries({ attributes }) {
      described += 1;
      return attributes['hw.id'] === 'a' ? { text: 'a ', formatValue: String } : undefined;
    },
    endRow: () => '\n',
  });
  const series = ['a', 'b'].map((id) => deriveSeries(energy, { attributes: { 'hw.id': id } }));
  for (const value of [1, 2]) encoder.add(createRow(series, start, Float64Array.of(value, 9)));
  encoder.add(createRow(series.slice(1), start, Float64Array.of(9)));
  encoder.flush();
  assert.equal(described, 3);
  assert.deepEqual(texts(), ['> a 1\n> a 2\n']);
});

test('LineBatcher respects the limits of a request', () => {
  const { encoder, requests } = batchOf(plain, { max_points: 30, max_bytes: 2000 });
  const oneLine = 'hw.energy '.length + 100 + 1 + 2 + 1 + 19 + 1;
  encoder.add(rowOf(100));
  encoder.flush();
  assert.ok(requests.every(({ bytes }) => bytes.length <= 2000));
  assert.equal(requests[0]?.points, Math.floor(2000 / (oneLine - 1)));
  assert.equal(
    requests.reduce((sum, { points }) => sum + points, 0),
    100,
  );
  const few = batchOf(plain, { max_points: 30 });
  few.encoder.add(rowOf(100));
  assert.deepEqual(
    few.requests.map(({ points }) => points),
    [30, 30, 30],
  );
  const tight = batchOf(plain, { max_bytes: 10 });
  tight.encoder.add(rowOf(2));
  tight.encoder.flush();
  assert.deepEqual(
    tight.requests.map(({ points }) => points),
    [1, 1],
  );
});

test('requests of lines are halved at the end of a point, even when they were stored', () => {
  const { encoder, requests, texts, restore } = batchOf({
    ...plain,
    linesPerPoint: 2,
    startRow: () => '{}\n',
  });
  encoder.add(rowOf(5));
  encoder.flush();
  const [request] = requests;
  const [whole] = texts();
  assert.ok(request && whole);
  for (const one of [request, restore({ bytes: Buffer.from(whole), points: 5 })]) {
    const [first, second] = one.split?.() ?? [];
    assert.deepEqual([first?.points, second?.points], [2, 3]);
    const halves = [first, second].map((half) => Buffer.from(half?.bytes ?? []).toString());
    assert.equal(halves.join(''), whole);
    assert.equal(halves[0]?.split('\n').length, 2 * 2 + 1);
    const [single] = first?.split?.() ?? [];
    assert.equal(single?.points, 1);
    assert.equal(single?.split?.(), undefined);
  }
});

test('LineBatcher writes histograms if the format supports them, without gaps', () => {
  assert.equal(batchOf(plain).encoder.addHistograms, undefined);
  const { encoder, texts } = batchOf({
    ...plain,
    formatHistogram: ({ metric }, unixNs, row) =>
      `${metric.name} ${row.count} ${row.buckets.join()} ${unixNs}\n`,
  });
  const metric = { name: 'h', unit: 's', description: '', kind: 'histogram' } as const;
  const series = { ...energy, metric };
  const row = new HistogramRow();
  row.layout = { kind: 'histogram', bounds: Float64Array.of(1) };
  row.count = 3;
  row.buckets = Float64Array.of(1, 2);
  const rows = new HistogramRows();
  rows.add(series, 5, row);
  rows.add(series, 6, row.clear(row.layout));
  encoder.addHistograms?.(rows.take(start));
  encoder.flush();
  assert.deepEqual(texts(), [`h 3 1,2 ${start + 5n}\n`]);
});

test('the memory of a released request of lines is reused for the next one', () => {
  const { encoder, requests } = batchOf(plain);
  const send = () => {
    encoder.add(rowOf(1000));
    encoder.flush();
  };
  send();
  requests[0]?.release?.();
  send();
  assert.equal(requests[0]?.bytes.buffer, requests[1]?.bytes.buffer);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QueuedRequest } from '../../src/component/queue-storage.js';
import { energy, start } from '../../src/export/exporter.fixture.js';
import { LineBatcher } from '../../src/export/line-batcher.js';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { lineProtocol } from './line-protocol.js';

function open() {
  const requests: QueuedRequest[] = [];
  const batcher = new LineBatcher(lineProtocol, { maxPoints: 100, maxBytes: 1e6 }, (one) =>
    requests.push(one),
  );
  const take = (): string => {
    batcher.flush();
    return requests
      .splice(0)
      .map(({ bytes }) => Buffer.from(bytes).toString())
      .join('');
  };
  return { batcher, take };
}

function linesOf(series: Series, value: number): string {
  const { batcher, take } = open();
  batcher.add(createRow([series], start, Float64Array.of(value)));
  return take();
}

test('Line protocol has the metric as measurement, attributes as tags, and nanoseconds', () => {
  assert.equal(
    linesOf(energy, 42.5),
    `hw.energy,host.name=node-1,hw.id=package-0,hw.type=cpu counter=42.5 ${start}\n`,
  );
  const gauge = { ...energy.metric, name: 'load', kind: 'gauge' } as const;
  assert.match(linesOf({ ...energy, metric: gauge }, 1e-7), / gauge=1e-7 /);
  assert.match(linesOf({ ...energy, metric: { ...gauge, valueType: 'int' } }, 7), / gauge=7i /);
});

test('Line protocol escapes separators, and leaves out values that it cannot express', () => {
  const attributes = { 'a b,c=d': 'x y,z=é', empty: '', feed: 'a\nb', path: 'C:\\' };
  const series = {
    ...energy,
    metric: { ...energy.metric, name: 'my metric,x=1' },
    resource: { attributes: {} },
    attributes,
  };
  assert.equal(
    linesOf(series, 1),
    String.raw`my\ metric\,x=1,a\ b\,c\=d=x\ y\,z\=é,feed=a\ b,path=C: counter=1` + ` ${start}\n`,
  );
  assert.equal(linesOf(energy, Infinity), '');
});

test('Line protocol has one line for a histogram', () => {
  const { batcher, take } = open();
  const metric = { name: 'work', unit: 's', description: '', kind: 'histogram' } as const;
  const row = new HistogramRow();
  row.layout = { kind: 'histogram', bounds: Float64Array.of(0.5, 1) };
  Object.assign(row, { count: 6, sum: 9.5, buckets: Float64Array.of(1, 2, 3) });
  const rows = new HistogramRows();
  rows.add({ ...energy, metric, attributes: {} }, 0, row);
  batcher.addHistograms?.(rows.take(start));
  assert.equal(take(), `work,host.name=node-1 count=6,sum=9.5,0.5=1,1=3,+Inf=6 ${start}\n`);
});

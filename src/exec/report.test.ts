import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, Series } from '../model/series.js';
import { createRow } from '../model/table.js';
import { EnergyBook } from './energy-book.js';
import type { RunRecord } from './measure-run.js';
import { reportRun } from './report.js';

const origin = 1_800_000_000_000_000_000n;
const metric: Metric = {
  name: 'hw.energy',
  unit: 'J',
  description: '',
  kind: 'counter',
  valueType: 'double',
};
const attributes = { 'hw.type': 'cpu', 'hw.id': 'package-0', 'energy.method': 'estimated' };
const columns: readonly Series[] = [{ metric, resource: { attributes: {} }, attributes, start: origin }];

test('reportRun gives no peak below the mean, when most energy was used near the edges', () => {
  const book = new EnergyBook(origin);
  const takeAt = (ms: number, joules: number) =>
    book.take(createRow(columns, origin + BigInt(ms) * 1_000_000n, Float64Array.of(joules)));
  const markAt = (ms: number) => book.mark(origin + BigInt(ms) * 1_000_000n);
  takeAt(0, 0);
  const mark = markAt(1000);
  markAt(1300);
  for (const [ms, joules] of [[960, 0], [1060, 5], [1170, 5.2], [1280, 5.4], [1390, 15]]) takeAt(ms, joules); // prettier-ignore
  const record = { mark, baselineMark: undefined, identity: {} } as unknown as RunRecord; // what the energy is made of
  const [domain] = reportRun(record, book).energy?.domains ?? [];
  assert.ok(domain?.peakWatts !== undefined);
  assert.ok(domain.peakWatts >= domain.meanWatts, `${domain.peakWatts} W, mean ${domain.meanWatts} W`);
});

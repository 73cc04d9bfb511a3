import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { createReading, createSeries, readFileLines, startExporter, writeTables } from './file.fixture.js';

const series = createSeries();
const durations = histogramOf({ attributes: { 'http.route': '/a,b' } });
const sizes = exponentialOf();
const at = 1_800_000_002_000_000_000;
const explicit = rowOf([1, 2, 3], { sum: 4.5, min: 0.01, max: 2 });
const exponential = rowOf([1, 2, 0, 3, 4], { layout: powersOfTwo });
const both = histogramTable([
  [durations, at, explicit],
  [sizes, at, exponential],
]);
const tables = [createReading(series, 1), both, createReading(series, 3)];

test('CSV has a row for each histogram, with the sum in the column of its metric', async () => {
  const path = join(createFolder(), 'a.csv');
  await writeTables({ path, format: 'csv', attribute_columns: [] }, tables);
  const [header = '', ...lines] = readFileLines(path);
  assert.equal(
    header.replace(/^.*attributes,/u, ''),
    'hw.energy (J),http.server.request.duration (s),count,min,max,bounds,bucket_counts,' +
      'rpc.duration (s),scale,zero_threshold,zero_count,positive_offset,positive_counts,negative_offset,negative_counts',
  );
  const [, rest = ''] = (lines[1] ?? '').split(',"{""http.route"":""/a,b""}",');
  assert.equal(rest, ',4.5,6,0.01,2,"[0.1,1]","[1,2,3]",,,,,,,,');
  const [, others = ''] = (lines[2] ?? '').split(',{},');
  assert.equal(others, ',,10,,,,,NaN,0,0,1,0,"[2,0,3]",-1,[4]');
  assert.match(
    lines[1] ?? '',
    /^2027-01-15T08:00:02.000000000Z,1970-01-01T00:00:00.000001000Z,histogram,double,,/u,
  );
});

for (const format of ['csv', 'parquet']) {
  test(`a file of ${format} gets columns for histograms that are added later, and keeps its rows`, async () => {
    const folder = createFolder();
    const path = join(folder, `a.${format}`);
    const { consume, consumeHistograms, stop, counted } = await startExporter({
      path,
      format,
      flush_interval: '1ms',
    });
    for (const table of tables) {
      const before = counted.sent;
      if ('layouts' in table) assert.ok(consumeHistograms(table));
      else assert.ok(consume(table));
      // Each in its own flush.
      await until(() => counted.sent > before);
    }
    await stop();
    assert.deepEqual(readdirSync(folder), [`a.${format}`]);
    if (format === 'csv') assert.equal(readFileLines(path).length, 5);
    else {
      const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
      assert.deepEqual(
        rows.map(({ metric, value, count, bounds }) => [
          metric,
          value ?? null,
          count ?? null,
          bounds ?? null,
        ]),
        [
          ['hw.energy', 1, null, null],
          ['http.server.request.duration', null, 6n, [0.1, 1]],
          ['rpc.duration', null, 10n, null],
          ['hw.energy', 3, null, null],
        ],
      );
    }
  });
}

test('a CSV file with histograms is continued', async () => {
  const folder = createFolder();
  const path = join(folder, 'a.csv');
  for (const table of [both, both]) await writeTables({ path, format: 'csv' }, [table]);
  assert.deepEqual(readdirSync(folder), ['a.csv']);
  assert.equal(readFileLines(path).length, 5);
});

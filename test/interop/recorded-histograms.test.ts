import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeTables } from '../../exporters/file/file.fixture.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { startCollector } from './collector.js';
import { isWithout, peerPath } from './peers.js';

const at = 1_800_000_000_000_000_000;
const durations = histogramOf({ attributes: { 'http.route': '/' } });
const tables = [
  histogramTable(
    [
      [durations, at, rowOf([1, 2, 3], { sum: 4.5, min: 0.01, max: 2 })],
      [histogramOf(), at, rowOf([0, 0, 0], { sum: 0 })],
      [exponentialOf(), at, rowOf([1, 2, 0, 3, 4], { layout: powersOfTwo, sum: -0.5 })],
    ],
    [durations],
  ),
];

test(
  'a Collector reads the lines of a recording and writes identical ones',
  { skip: isWithout('otelcol') },
  async (t) => {
    const path = join(createFolder(), 'a.json');
    await writeTables({ path }, tables);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    assert.equal(lines.length, 2);
    // Without processors, which would change them.
    const over = 'service: {pipelines: {metrics: {processors: []}}}';
    const { written } = await startCollector(t, { over });
    for (const body of lines) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch('http://localhost:4318/v1/metrics', { method: 'POST', headers, body });
      assert.deepEqual([response.status, await response.json()], [200, { partialSuccess: {} }]);
    }
    await until(() => written.histograms.length >= 4);
    assert.deepEqual(readFileSync(written.path, 'utf8').trimEnd().split('\n').toSorted(), lines.toSorted());
  },
);

test(
  'PyArrow, with checksums, and DuckDB find the histograms of a recording in lists',
  { skip: isWithout('python') },
  async () => {
    const path = join(createFolder(), 'a.parquet');
    await writeTables({ path, format: 'parquet' }, tables);
    const script = fileURLToPath(new URL('../../../test/interop/peers/read_histograms.py', import.meta.url));
    const output = execFileSync(peerPath('python'), [script, path], { stdio: ['ignore', 'pipe', 'pipe'] });
    const rows = [
      ['histogram', 6, 4.5, 0.01, 2, [0.1, 1], [1, 2, 3], null, null, null, null, null, null],
      ['histogram', 0, 0, null, null, [0.1, 1], [0, 0, 0], null, null, null, null, null, null],
      ['exponential_histogram', 10, -0.5, null, null, null, null, 0, 1, 0, [2, 0, 3], -1, [4]],
      ['histogram', ...Array.from({ length: 12 }, () => null)],
    ];
    assert.deepEqual(JSON.parse(output.toString()), { pyarrow: rows, duckdb: rows });
  },
);

import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { noSmallDisk, onSmallDisk } from '../../src/testing/small-disk.fixture.js';
import { until } from '../../src/testing/until.js';
import { createReading, createSeries, readFileLines, readValues, startExporter } from './file.fixture.js';

const series = createSeries();
const skip = noSmallDisk;

test('nothing is lost and no line is torn, when a full disk has space again', { skip }, () =>
  onSmallDisk(fillAndFree),
);

test('a Parquet file can be read while the disk is full, and loses nothing', { skip }, () =>
  onSmallDisk(fillParquet),
);

async function fillParquet(folder: string): Promise<void> {
  const path = join(folder, 'energy.parquet');
  const filler = join(folder, 'filler');
  writeFileSync(filler, Buffer.alloc(230 * 1024));
  const { consume, stop, log, counted } = await startExporter({
    path,
    format: 'parquet',
    flush_interval: '1ms',
  });
  let last = 0;
  while (!log.lines.some((line) => line.includes('ENOSPC'))) {
    consume(createReading(series, ++last));
    await new Promise((resolve) => void setImmediate(resolve));
  }
  const before = await readParquetValues(path);
  assert.equal(before.length, counted.sent);
  rmSync(filler);
  await until(() => counted.sent === last);
  await stop();
  assert.deepEqual(
    await readParquetValues(path),
    Array.from({ length: last }, (_, i) => i + 1),
  );
}

async function readParquetValues(path: string): Promise<readonly unknown[]> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path), columns: ['value'] });
  return rows.map((row) => row['value'] as unknown);
}

async function fillAndFree(folder: string): Promise<void> {
  const path = join(folder, 'energy.json');
  const filler = join(folder, 'filler');
  writeFileSync(filler, Buffer.alloc(200 * 1024));
  const { consume, stop, log, counted } = await startExporter({ path, flush_interval: '1ms' });
  const readings = Array.from({ length: 300 }, (_, i) => createReading(series, i + 1));
  for (const table of readings) consume(table);
  await until(() => log.lines.some((line) => line.includes('ENOSPC')));
  assert.ok(!readFileSync(path, 'utf8').endsWith('\n'), 'the disk was full at the end of a line');
  rmSync(filler);
  await until(() => counted.sent === 300);
  await stop();
  for (const line of readFileLines(path)) JSON.parse(line);
  assert.deepEqual(
    readValues(readFileSync(path, 'utf8')),
    readings.map(({ values }) => values[0]),
  );
}

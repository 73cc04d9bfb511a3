import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { createRow } from '../../src/model/table.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { decompressZstd, zstdMissing } from '../../src/zstd.js';
import {
  createReading,
  createSeries,
  readFileLines,
  readValues,
  startExporter,
  writeTables,
} from './file.fixture.js';

const series = createSeries();

function readings(from: number, to: number) {
  return Array.from({ length: to - from + 1 }, (_, i) => createReading(series, from + i));
}

test('the file has a line for each table and is readable by its owner only', async () => {
  const path = join(createFolder(), 'energy.json');
  await writeTables({ path }, readings(1, 3));
  assert.equal(readFileLines(path).length, 3);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(
    readFileLines(path)[0],
    '{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"node-1"}}]},' +
      '"scopeMetrics":[{"scope":{"name":"joulemetry","version":"0.1.0"},"metrics":[{"name":"hw.energy","unit":"J",' +
      '"sum":{"dataPoints":[{"attributes":[{"key":"hw.id","value":{"stringValue":"package-0"}}],' +
      '"startTimeUnixNano":"1800000000000000000","timeUnixNano":"1800000001000000000","asDouble":1}],' +
      '"aggregationTemporality":2,"isMonotonic":true}}]}]}]}',
  );
});

test('the file has the queued tables, once the flush interval has passed', async () => {
  const path = join(createFolder(), 'energy.json');
  const { consume, stop, counted } = await startExporter({ path, flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => counted.sent === 1);
  assert.ok(statSync(path).size > 0);
  await stop();
});

test('append continues a file and removes a line that a crash left incomplete', async () => {
  const path = join(createFolder(), 'energy.json');
  await writeTables({ path }, readings(1, 2));
  appendFileSync(path, '{"resourceMetrics":[{"resour');
  await writeTables({ path }, readings(3, 3));
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [1, 2, 3]);
  for (const line of readFileLines(path)) JSON.parse(line);
});

test('append keeps every byte of a file of another format in a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.json');
  writeFileSync(path, '{"name":\n"not mine"}');
  await writeTables({ path }, readings(1, 1));
  const backup = readdirSync(folder).find((name) => name !== 'energy.json') ?? '';
  assert.match(backup, /^energy-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.json$/u);
  assert.equal(readFileSync(join(folder, backup), 'utf8'), '{"name":\n"not mine"}');
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [1]);
});

test('a file is replaced, when append is off', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.json');
  await writeTables({ path }, readings(1, 2));
  await writeTables({ path, append: false }, readings(3, 3));
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [3]);
  assert.deepEqual(readdirSync(folder), ['energy.json']);
});

test('rotation keeps every file within its maximum size, limits the number of backups, and loses nothing in between', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.json');
  const wide = Array.from({ length: 1000 }, (_, i) => createSeries('hw.energy', `package-${i}`));
  const tables = Array.from({ length: 40 }, (_, second) => ({
    ...createReading(series, second),
    series: wide,
    values: new Float64Array(1000).fill(second),
  }));
  await writeTables({ path, rotation: { max_megabytes: 2, max_backups: 3 } }, tables);
  const files = readdirSync(folder).toSorted();
  assert.equal(files.length, 4);
  const sizes = files.map((name) => statSync(join(folder, name)).size);
  assert.ok(Math.max(...sizes) <= 2 * 1024 * 1024, `sizes are ${sizes.join(', ')}`);
  const seconds = new Set(files.flatMap((name) => readValues(readFileSync(join(folder, name), 'utf8'))));
  const kept = [...seconds].toSorted((a, b) => a - b);
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, i) => 40 - kept.length + i),
  );
  assert.ok(kept.length > 15);
});

test('each flush of a gzip file is a whole member, and an existing file becomes a backup', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.json.gz');
  const { consume, stop } = await startExporter({ path, compression: 'gzip', flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => statSync(path).size > 0);
  const first = statSync(path).size;
  consume(createReading(series, 2));
  await until(() => statSync(path).size > first);
  assert.deepEqual(readValues(gunzipSync(readFileSync(path).subarray(0, first)).toString()), [1]);
  assert.deepEqual(readValues(gunzipSync(readFileSync(path)).toString()), [1, 2]);
  await stop();
  await writeTables({ path, compression: 'gzip' }, readings(3, 3));
  assert.deepEqual(readValues(gunzipSync(readFileSync(path)).toString()), [3]);
  assert.equal(readdirSync(folder).length, 2);
});

test('each flush of a zstd file is a whole frame', { skip: zstdMissing ?? false }, async () => {
  const path = join(createFolder(), 'energy.json.zst');
  const { consume, stop } = await startExporter({ path, compression: 'zstd', flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => statSync(path).size > 0);
  const first = statSync(path).size;
  consume(createReading(series, 2));
  await until(() => statSync(path).size > first);
  await stop();
  const bytes = readFileSync(path);
  const frames = [bytes.subarray(0, first), bytes.subarray(first)];
  assert.deepEqual(
    frames.map((frame) => readValues(decompressZstd(frame).toString())),
    [[1], [2]],
  );
});

for (const format of ['json', 'csv', 'parquet']) {
  test(`the main thread only forwards what is written as ${format}`, async () => {
    const path = join(createFolder(), `energy.${format}`);
    const { consume, stop, counted } = await startExporter({ path, format });
    const rows = 150_000;
    const offsets = Float64Array.from({ length: rows }, (_, row) => row * 100_000);
    const big = { ...createReading(series, 1), offsets, values: offsets };
    assert.ok(consume(big) && consume(createReading(series, 100)));
    assert.equal(counted.sent, 0);
    assert.equal(statSync(path).size, 0);
    await until(() => counted.sent >= rows);
    await stop();
    assert.equal(counted.sent, rows + 1);
  });
}

test('a new file is started, when the file is renamed or removed', async () => {
  const folder = createFolder();
  const path = join(folder, 'energy.json');
  const { consume, stop } = await startExporter({ path, flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => statSync(path).size > 0);
  renameSync(path, `${path}.1`);
  consume(createReading(series, 2));
  await until(() => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0);
  rmSync(path);
  consume(createReading(series, 3));
  await stop();
  assert.deepEqual(readValues(readFileSync(`${path}.1`, 'utf8')), [1]);
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [3]);
});

test('a file is continued from its start, when it is truncated', async () => {
  const path = join(createFolder(), 'energy.json');
  const { consume, stop } = await startExporter({ path, flush_interval: '1ms' });
  consume(createReading(series, 1));
  await until(() => statSync(path).size > 0);
  truncateSync(path);
  consume(createReading(series, 2));
  await stop();
  const text = readFileSync(path, 'utf8');
  assert.match(text, /^\{/u);
  assert.deepEqual(readValues(text), [2]);
});

test('points are buffered while their folder is missing, are refused beyond the buffer, and are written when it is back', async () => {
  const folder = join(createFolder(), 'sub');
  mkdirSync(folder);
  const path = join(folder, 'energy.json');
  const exporter = await startExporter({ path, flush_interval: '1ms', buffer_bytes: 1000 });
  const { consume, stop, log, counted } = exporter;
  rmSync(folder, { recursive: true });
  assert.equal(consume(createReading(series, 1)), true);
  assert.equal(exporter.readBacklog(), 0);
  await until(() => log.lines.length > 0);
  const taken = [2, 3, 4, 5, 6, 7].map((second) => consume(createReading(series, second)));
  assert.deepEqual(taken, [true, true, true, false, false, false]);
  assert.equal(counted.dropped['queue_full'], 3);
  assert.ok((exporter.readBacklog() ?? 0) > 0.8);
  mkdirSync(folder);
  await stop();
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [1, 2, 3, 4]);
  assert.equal(counted.sent, 4);
  assert.match(
    log.lines[0],
    /^error: Cannot open .*ENOENT, its folder .* does not exist\. Keeping points in memory/u,
  );
  assert.ok(log.lines.some((line) => /^info: Recovered, writing .* again after/u.test(line)));
});

test('only one exporter can write a file', async () => {
  const path = join(createFolder(), 'energy.json');
  const { consume, stop } = await startExporter({ path });
  for (const format of ['json', 'parquet']) {
    await assert.rejects(startExporter({ path, format }), {
      message: `Cannot open ${path}: expected a path of its own, found a file that another exporter or program writes`,
    });
  }
  consume(createReading(series, 1));
  await stop();
  await writeTables({ path }, readings(2, 2));
  assert.deepEqual(readValues(readFileSync(path, 'utf8')), [1, 2]);
});

test('points that could not be written before the shutdown are counted as lost', async () => {
  const folder = join(createFolder(), 'sub');
  mkdirSync(folder);
  const { consume, stop, log, counted } = await startExporter({ path: join(folder, 'energy.json') });
  rmSync(folder, { recursive: true });
  consume(createReading(series, 1));
  await stop();
  assert.deepEqual(counted, { sent: 0, dropped: { shutdown: 1 } });
  assert.match(
    log.lines.at(-1) ?? '',
    /^error: Lost 1 points for .*energy\.json: it could not be written in time$/u,
  );
});

test('start fails with a reason, when the folder is missing or the path is a folder', async () => {
  const folder = createFolder();
  await assert.rejects(
    startExporter({ path: join(folder, 'no', 'energy.json') }),
    /ENOENT, its folder .*no does not exist/u,
  );
  await assert.rejects(startExporter({ path: folder }), /expected a file, found a folder/u);
});

test('new series are sent to the writing thread in slices, between which the main thread is free', async () => {
  let made = 0;
  const many = Array.from({ length: 3000 }, (_, id) => {
    const one = createSeries('hw.energy', `package-${id}`);
    const { metric } = one;
    return {
      ...one,
      get metric() {
        made += 1;
        return metric;
      },
    };
  });
  const { consume, stop } = await startExporter({
    path: join(createFolder(), 'energy.parquet'),
    format: 'parquet',
  });
  consume(createRow(many, 1_800_000_000_000_000_001n, new Float64Array(many.length)));
  const stopping = stop();
  let most = 0;
  while (made < many.length) {
    const before = made;
    await nextTurn();
    most = Math.max(most, made - before);
  }
  await stopping;
  assert.deepEqual([made, most], [3000, 500]);
});

import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ParquetEncoder } from '../../src/recording/parquet-encoder.js';
import { noUnreadableFile, unreadableFile } from '../../src/scraping/file-faults.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { describeTables, gaugeLine, replay, threeLines, threeTables, writeFile } from './replay.fixture.js';

const csvHeader = 'time,start_time,kind,type,state,resource,attributes,x (1)';

function gaugeRow(second: number): string {
  return `1970-01-01T00:00:0${second}Z,,gauge,double,,{},{},0.${second}5`;
}

test('lines that are wrong are named with their number, and the rest is read', async () => {
  const path = writeFile(
    'a.json',
    `${gaugeLine(1, 1)}{"resourceMetrics":[}\n\n{"traces":1}\n${gaugeLine(2, 2)}`,
  );
  const { tables, log } = await replay({ files: [path] });
  assert.deepEqual(describeTables(tables), ['x@1=1', 'x@2=2']);
  assert.match(log[0], new RegExp(`^warn: Skipped ${path}:2: .*JSON`, 'u'));
  assert.equal(log[1], `warn: Skipped ${path}:4: expected a list "resourceMetrics", found none`);
});

test('a line with an instant that no file could hold is skipped', async () => {
  const late = gaugeLine(1, 1).replace('"1000000000"', '"9223372036854775808"');
  const { tables, log } = await replay({ files: [writeFile('a.json', late + gaugeLine(2, 2))] });
  assert.deepEqual(describeTables(tables), ['x@2=2']);
  assert.match(log[0], /:1: expected an instant of 64 bits, found 9223372036854775808$/u);
});

test('a last line that a crash cut off is left out and no error', async () => {
  const path = writeFile('a.json', threeLines + gaugeLine(4, 4).slice(0, 60));
  const { tables, log } = await replay({ files: [path] });
  assert.deepEqual(describeTables(tables), threeTables);
  assert.deepEqual(log, [
    `info: ${path}:4 is cut off: the file was not closed`,
    'info: Replayed 3 points of 1 file',
  ]);
});

test('a last number of a CSV file that a crash cut off is left out, though it looks whole', async () => {
  const path = writeFile('a.csv', `${csvHeader}\n${gaugeRow(1)}\n${gaugeRow(2)}`);
  const { tables, log } = await replay({ files: [path] });
  assert.deepEqual(describeTables(tables), ['x@1=0.15']);
  assert.equal(log[0], `info: ${path}:3 is cut off: the file was not closed`);
});

test('rows of a CSV file that are wrong are named with what is wrong', async () => {
  const rows = ['1970-01-01T00:00:01Z,,gauge,double,,{},{},1', 'now,,gauge,double,,{},{},1', 'a,b'];
  const path = writeFile('a.csv', `${[csvHeader, ...rows].join('\n')}\n`);
  const { tables, log } = await replay({ files: [path] });
  assert.deepEqual(describeTables(tables), ['x@1=1']);
  assert.equal(
    log[0],
    `warn: Skipped ${path}:3: expected an instant such as "2026-01-02T03:04:05.678901234Z", found "now"`,
  );
  assert.equal(log[1], `warn: Skipped ${path}:4: expected 8 fields as in the header, found 2`);
});

test('a file of no known format is named, and the next one is read', async () => {
  const wrong = writeFile('a.txt', 'hello\nworld\n');
  const { tables, log } = await replay({ files: [wrong, writeFile('b.json', threeLines)] });
  assert.equal(tables.length, 3);
  assert.match(
    log[0],
    /^error: Cannot read .*a\.txt: expected OTLP JSON lines, CSV or Parquet of the file exporter/u,
  );
});

test(
  'a file that may not be read is named with its errno, and the next one is read',
  { skip: noUnreadableFile },
  async () => {
    const unreadable = join(createFolder(), 'a.json');
    symlinkSync(unreadableFile, unreadable);
    const { tables, log } = await replay({ files: [unreadable, writeFile('b.json', threeLines)] });
    assert.equal(tables.length, 3);
    assert.match(log[0], /^error: Cannot read .*a\.json: EACCES/u);
  },
);

test('files that cannot be replayed are reported at the end, and lost lines are counted, which is no failure', async () => {
  const good = writeFile('a.json', `${threeLines}{}\n`);
  const one = await replay({ files: [good] });
  assert.equal(one.problem, undefined);
  assert.deepEqual(one.log.slice(1), [
    'info: Replayed 3 points of 1 file',
    'warn: Lost 1 line that could not be read',
  ]);
  const foreign = writeFile('b.json', '{"a":1}\n{"a":2}\n');
  const torn = writeFile('c.parquet', 'PAR1 and no end');
  const { problem, log } = await replay({ files: [foreign, good, torn, createFolder()] });
  assert.equal(problem, '3 of 4 files could not be replayed');
  const why = 'expected lines of the file exporter in json, found none';
  assert.ok(log.includes(`error: Cannot read ${foreign}: ${why}`), log.join('\n'));
});

test('gzip files are read up to where a crash cut them off', async () => {
  const members = [gzipSync(gaugeLine(1, 0.1)), gzipSync(gaugeLine(2, 0.2)), gzipSync(gaugeLine(3, 0.3))];
  const whole = Buffer.concat(members);
  assert.deepEqual(
    describeTables((await replay({ files: [writeFile('a.json.gz', whole)] })).tables),
    threeTables,
  );
  const torn = whole.subarray(0, whole.length - 20);
  const { tables } = await replay({ files: [writeFile('a.json.gz', torn)] });
  assert.deepEqual(describeTables(tables).slice(0, 2), threeTables.slice(0, 2));
});

test('a wrong byte in a Parquet file is an error that names it, and the next file is read', async () => {
  const encoder = new ParquetEncoder([]);
  const metric = { name: 'x', unit: '1', description: '', kind: 'gauge', valueType: 'double' } as const;
  const series = [{ metric, resource: { attributes: {} }, attributes: {}, start: 0n }];
  const values = Float64Array.of(1, 2, 3);
  const table = { series, epoch: 1_000_000_000n, offsets: Float64Array.of(0, 1, 2), values };
  const bytes = Buffer.concat([encoder.encode([table]), encoder.footer()]);
  // How many rows the file has: three as a zigzag, and the list of row groups after it.
  const at = bytes.lastIndexOf(Buffer.of(0x16, 0x06, 0x19, 0x1c));
  assert.notEqual(at, -1);
  bytes[at + 1] = 0x86;
  const files = [writeFile('a.parquet', bytes), writeFile('b.json', threeLines)];
  const { tables, log, problem } = await replay({ files });
  assert.deepEqual(describeTables(tables), threeTables);
  assert.match(log[0], /^error: Cannot read .*a\.parquet: expected a Parquet file, found /u);
  assert.equal(problem, '1 of 2 files could not be replayed');
});

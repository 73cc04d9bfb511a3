import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { noSqlite } from '../src/sql/sqlite.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { readVersion } from '../src/version.js';
import { runAgent, startAgent } from './agent.js';

const rows = 5;

/** Histograms in the same format: a line as the Collector writes it, with two kinds of buckets, a gap and an end. */
const histogramLines = [
  '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"scope":{"name":"joulemetry","version":"VERSION"},"metrics":[' +
    '{"name":"duration","unit":"s","histogram":{"dataPoints":[' +
    '{"attributes":[{"key":"route","value":{"stringValue":"/"}}],"startTimeUnixNano":"1800000000000000001","timeUnixNano":"1800000001000000000","count":"6","sum":4.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.1,1e-07],"min":0.01,"max":2},' +
    '{"attributes":[{"key":"route","value":{"stringValue":"/b"}}],"timeUnixNano":"1800000001000000000","sum":0,"bucketCounts":["0","0","0"],"explicitBounds":[0.1,1]},' +
    '{"attributes":[{"key":"route","value":{"stringValue":"/c"}}],"timeUnixNano":"1800000001000000000","count":"9007199254740992"}],"aggregationTemporality":2}},' +
    '{"name":"size","unit":"By","exponentialHistogram":{"dataPoints":[' +
    '{"startTimeUnixNano":"1800000000000000001","timeUnixNano":"1800000001000000000","count":"13","sum":-3,"scale":3,"zeroCount":"1","positive":{"offset":-7,"bucketCounts":["1","0","2"]},"negative":{"offset":4,"bucketCounts":["4","5"]},"zeroThreshold":0.25}],"aggregationTemporality":2}}]}]}]}',
  '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"scope":{"name":"joulemetry","version":"VERSION"},"metrics":[' +
    '{"name":"duration","unit":"s","histogram":{"dataPoints":[' +
    '{"attributes":[{"key":"route","value":{"stringValue":"/"}}],"startTimeUnixNano":"1800000000000000001","timeUnixNano":"1800000002000000000","flags":1}],"aggregationTemporality":2},"metadata":[{"key":"joulemetry.gap","value":{"stringValue":"histogram"}}]}]}]}]}',
  '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeMetrics":[{"scope":{"name":"joulemetry","version":"VERSION"},"metrics":[' +
    '{"name":"size","unit":"By","exponentialHistogram":{"dataPoints":[' +
    '{"startTimeUnixNano":"1800000000000000001","timeUnixNano":"1800000002001000000","positive":{},"negative":{},"flags":1}],"aggregationTemporality":2}}]}]}]}',
].map((line) => line.replace('VERSION', readVersion()).replace('[0.1,1e-07]', '[1e-07,0.1]'));
const databases = noSqlite === false ? ['d.db', 'd.json', 'e.sqlite3', 'e.parquet', 'f.sqlite'] : [];

/** A line with a counter of two series, one of which has a gap in every row. */
function lineOf(second: number): string {
  const at = `${1_800_000_000 + second}000000001`;
  const point = (id: string, value: string) =>
    `{"attributes":[{"key":"hw.id","value":{"stringValue":"${id}"}}],"startTimeUnixNano":"1799999999000000000","timeUnixNano":"${at}",${value}}`;
  return (
    '{"resourceMetrics":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"ü"}}]},' +
    '"scopeMetrics":[{"scope":{"name":"joulemetry"},"metrics":[{"name":"hw.energy","unit":"J","sum":{"dataPoints":[' +
    `${point('package-0', `"asDouble":${second}.125`)},${point('package-1', second === 3 ? '"flags":1' : `"asDouble":${second + 1}e-07`)}` +
    '],"aggregationTemporality":2,"isMonotonic":true},' +
    '"metadata":[{"key":"joulemetry.gap","value":{"stringValue":"double"}}]}]}]}]}'
  );
}

const lines = Array.from({ length: rows }, (_, second) => lineOf(second));

function writeRecording(folder: string, content: readonly string[] = lines): string {
  const path = join(folder, 'in.json');
  writeFileSync(path, `${content.join('\n')}\n`);
  return path;
}

const pointPattern = /"stringValue":"(package-\d)".*?"timeUnixNano":"(\d+)","?([^"]+":[^},]+)/gu;

/** The points of a JSON recording, independent of how it is split into lines. */
function readPoints(path: string): readonly string[] {
  const points = readFileSync(path, 'utf8').matchAll(pointPattern);
  return Array.from(points, ([, id, at, value]) => [id, at, value].join(' ')).toSorted();
}

async function convert(...args: readonly string[]) {
  const { code, stderr } = await runAgent(['convert', ...args]);
  return { code, stderr };
}

test('convert takes a recording through every format and back without changing a bit of it', async () => {
  const folder = createFolder();
  const source = writeRecording(folder);
  let from = source;
  for (const name of ['a.parquet', 'b.csv', 'c.parquet', 'd.csv.gz', ...databases, 'f.json']) {
    const to = join(folder, name);
    const { code, stderr } = await convert(from, to);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /: 10 points in [\d.]+ s, [\d.]+ kB\n$/u);
    assert.equal(statSync(to).mode & 0o777, 0o600);
    from = to;
  }
  assert.deepEqual(readPoints(from), readPoints(source));
  assert.equal(readPoints(from).length, 2 * rows);
});

/** The histograms of a JSON recording as written in the file, independent of how it is split into lines. */
function readHistograms(path: string): readonly string[] {
  const found: string[] = [];
  for (const line of readFileSync(path, 'utf8').trimEnd().split('\n')) {
    for (const metric of line.split('{"name":"').slice(2)) {
      const [name = '', points = ''] = metric.split('"dataPoints":[');
      const [list = ''] = points.split('],"aggregationTemporality":2');
      for (const point of list.split(/,(?=\{"(?:attributes|startTime|time))/u)) found.push(name + point);
    }
  }
  return found.toSorted();
}

test("convert takes histograms through every format and back without a change to the Collector's text", async () => {
  const folder = createFolder();
  const source = writeRecording(folder, histogramLines);
  assert.equal(readHistograms(source).length, 6);
  let from = source;
  for (const name of [
    'a.parquet',
    ...databases.slice(0, 1),
    'b.csv',
    'c.json',
    'd.csv.gz',
    'e.parquet',
    'f.json',
  ]) {
    const to = join(folder, name);
    const { code, stderr } = await convert(from, to);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Wrote .*: 5 points in [\d.]+ s, [\d.]+ kB\n$/mu);
    from = to;
    if (name.endsWith('.json')) assert.deepEqual(readHistograms(to), readHistograms(source));
  }
});

test('convert writes files that other programs read', async () => {
  const folder = createFolder();
  const from = writeRecording(folder);
  const [parquet, csv] = [join(folder, 'x.parquet'), join(folder, 'x.csv.gz')];
  assert.equal((await convert(from, parquet)).code, 0);
  assert.equal((await convert(from, csv)).code, 0);
  const read = await parquetReadObjects({
    file: await asyncBufferFromFile(parquet),
    columns: ['hw.id', 'value'],
  });
  assert.deepEqual(
    read.filter((row) => row['hw.id'] === 'package-1').map(({ value }) => value),
    [1e-7, 2e-7, 3e-7, null, 5e-7],
  );
  const [header = '', ...records] = gunzipSync(readFileSync(csv)).toString().trimEnd().split('\n');
  assert.ok(header.startsWith('time,'), header);
  assert.equal(records.length, 2 * rows);
});

test('convert reports damaged lines with their number and column, and converts all others', async () => {
  const folder = createFolder();
  const damaged = lines
    .with(1, '{"resourceMetrics":[}')
    .with(3, lines[3].replace('"dataPoints":[{', '"dataPoints":[{{'));
  const from = writeRecording(folder, damaged);
  const to = join(folder, 'out.json');
  const { code, stderr } = await convert(from, to);
  assert.equal(code, 1);
  assert.ok(stderr.includes(`${from}:2: expected a JSON object, found a syntax error at column 21`), stderr);
  assert.match(stderr, /in\.json:4: expected a JSON object, found a syntax error at column \d+\n/u);
  assert.equal(readPoints(to).length, 2 * (rows - 2));
});

test('convert reads a recording up to the place where a crash cut it off', async () => {
  const folder = createFolder();
  const from = writeRecording(folder);
  truncateSync(from, statSync(from).size - 100);
  const to = join(folder, 'out.json');
  const { stderr } = await convert(from, to);
  assert.ok(stderr.includes(`${from}:${rows} is cut off`), stderr);
  assert.equal(readPoints(to).length, 2 * (rows - 1));
});

test('convert replaces a file only if asked, and never its input', async () => {
  const folder = createFolder();
  const from = writeRecording(folder);
  const to = join(folder, 'out.csv');
  writeFileSync(to, 'mine');
  const refused = await convert(from, to);
  assert.deepEqual([refused.code, readFileSync(to, 'utf8')], [2, 'mine']);
  assert.match(refused.stderr, /expected no such file, found one; --force replaces it/u);
  assert.equal((await convert('--force', from, to)).code, 0);
  assert.notEqual(readFileSync(to, 'utf8'), 'mine');
  const before = readFileSync(from, 'utf8');
  assert.equal((await convert('-f', from, from)).code, 2);
  assert.equal(readFileSync(from, 'utf8'), before);
});

test('convert keeps the file to replace, and leaves no temporary file, when its input cannot be read', async () => {
  const folder = createFolder();
  const [to, bad] = [join(folder, 'out.csv'), join(folder, 'bad.json')];
  writeFileSync(bad, 'no recording');
  for (const from of [join(folder, 'absent.json'), bad]) {
    assert.equal((await convert(from, to)).code, 1);
    assert.deepEqual(readdirSync(folder), ['bad.json']);
  }
  writeFileSync(to, 'mine');
  for (const from of [join(folder, 'absent.json'), bad]) {
    assert.equal((await convert('-f', from, to)).code, 1);
    assert.equal(readFileSync(to, 'utf8'), 'mine');
  }
  assert.equal((await convert('-f', writeRecording(folder), to)).code, 0);
  assert.deepEqual(readdirSync(folder).toSorted(), ['bad.json', 'in.json', 'out.csv']);
});

test('convert fails where its file cannot be written', async () => {
  const { code, stderr } = await convert('-f', '--to', 'csv', writeRecording(createFolder()), '/dev/full');
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write \/dev\/full: ENOSPC/u);
  assert.match(stderr, /^\/dev\/full is incomplete: see the errors above$/mu);
  assert.ok(!stderr.includes('Wrote'), stderr);
});

test('convert reports an input that does not exist or has no points, and writes nothing', async () => {
  const folder = createFolder();
  const [missing, empty, output] = ['missing.json', 'empty.json', 'out.csv'].map((name) =>
    join(folder, name),
  );
  assert.ok(missing && empty && output);
  writeFileSync(empty, '');
  const ofMissing = await runAgent(['convert', missing, output]);
  assert.deepEqual([ofMissing.code, ofMissing.stderr], [1, `Cannot read ${missing}: ENOENT\n`]);
  const ofEmpty = await runAgent(['convert', empty, output]);
  assert.equal(ofEmpty.code, 1);
  assert.ok(
    ofEmpty.stderr.endsWith(`Cannot convert ${empty}: expected points, found none\n`),
    ofEmpty.stderr,
  );
  assert.deepEqual(readdirSync(folder), ['empty.json']);
  writeFileSync(output, 'mine');
  assert.equal((await runAgent(['convert', '-f', empty, output])).code, 1);
  assert.equal(readFileSync(output, 'utf8'), 'mine');
});

test('convert reports that it was interrupted, and does not claim to have written everything', async () => {
  const folder = createFolder();
  const output = join(folder, 'out.json');
  const input = join(folder, 'in.fifo');
  spawnSync('mkfifo', [input]);
  // It stays open: there may always be another line.
  const lasting = openSync(input, constants.O_RDWR);
  writeSync(lasting, `${lines.join('\n')}\n`);
  const child = startAgent(['convert', '-', output], {}, ['sh', '-c', 'exec "$@" <"$0"', input]);
  await until(() => existsSync(output));
  const { code, stderr } = await child.stop('SIGINT');
  closeSync(lasting);
  assert.equal(code, 1);
  assert.match(stderr, /^Interrupted: (?:wrote .*out\.json: \d points in|.*out\.json was not written)/mu);
  assert.ok(!stderr.includes('Wrote'), stderr);
});

test('convert prints its usage', async () => {
  const folder = createFolder();
  const from = writeRecording(folder);
  for (const [args, code, message] of [
    [[], 2, /expected IN and OUT, found 0 arguments/u],
    [[from, join(folder, 'x'), 'y'], 2, /found 3 arguments/u],
    [[from, join(folder, 'x.xml')], 2, /expected json, csv, parquet, sqlite, found "xml"; see --to/u],
    [['--to', 'xls', from, join(folder, 'x.csv')], 2, /found "xls"/u],
    [[from, join(folder, 'x.parquet.gz')], 2, /compression: expected none with Parquet/u],
    [[join(folder, 'absent.json'), join(folder, 'x.csv')], 1, /^Cannot read \S*absent\.json: ENOENT$/mu],
    [[from, join(folder, 'absent', 'x.csv')], 1, /ENOENT, its folder .* does not exist/u],
  ] as const) {
    const outcome = await convert(...args);
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(outcome.stderr, message);
  }
  assert.equal((await convert('--to', 'json', from, join(folder, 'noname'))).code, 0);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { openHttpBackend } from '../src/http/http-backend.fixture.js';
import { decodePoints } from '../src/otlp/decode-request.fixture.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';
import { runAgent, startAgent, writeConfig } from './agent.js';

const formats = ['json', 'csv', 'parquet'] as const;

/** Records readings of receivers in every format, and their attribution. */
function recordingConfig(folder: string): string {
  const exporters = formats.map(
    (format) =>
      `file/${format}: {path: ${join(folder, `raw.${format}`)}, format: ${format}, flush_interval: 200ms}`,
  );
  return writeConfig(`
receivers: {process: {collection_interval: 200ms}, estimate: {collection_interval: 200ms}}
processors: {attribution: {process_limit: 3, group_limit: 2}}
exporters: {${exporters.join(', ')}, file/live: {path: ${join(folder, 'live.json')}}}
service:
  pipelines:
    metrics/raw: {receivers: [estimate, process], exporters: [${formats.map((one) => `file/${one}`).join(', ')}]}
    metrics/live: {receivers: [estimate, process], processors: [attribution], exporters: [file/live]}
  telemetry: {metrics: {level: none}}
`);
}

/** Also records the live results with compression. */
function gzipConfig(path: string): string {
  return writeConfig(`exporters: {file/live: {path: ${path}, compression: gzip, flush_interval: 200ms}}`);
}

/** @param recorder the process that recorded; it is always shown */
function replayConfig(file: string, result: string, recorder: number): string {
  return writeConfig(`
receivers: {replay: {files: ['${file}']}}
processors: {attribution: {process_limit: 3, group_limit: 2, shown_pids: [${recorder}]}}
exporters: {file: {path: ${result}}}
service:
  pipelines: {metrics: {receivers: [replay], processors: [attribution], exporters: [file]}}
  telemetry: {metrics: {level: none}}
`);
}

interface Point {
  readonly attributes?: unknown;
  readonly timeUnixNano: string;
  readonly asDouble?: number;
}

interface Line {
  readonly resourceMetrics: readonly {
    readonly resource: unknown;
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly Point[] };
      }[];
    }[];
  }[];
}

/** Joules of every series at every instant. */
function readJoules(path: string): ReadonlyMap<string, number> {
  const joules = new Map<string, number>();
  // Each complete line is OTLP JSON.
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((text) => JSON.parse(text) as Line);
  for (const { resource, scopeMetrics } of lines.flatMap(({ resourceMetrics }) => resourceMetrics)) {
    for (const { name, sum } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
      if (!['ledger.energy', 'process.energy', 'program.energy'].includes(name)) continue;
      for (const { attributes, timeUnixNano, asDouble } of sum?.dataPoints ?? []) {
        joules.set(JSON.stringify([name, resource, attributes, timeUnixNano]), asDouble ?? NaN);
      }
    }
  }
  return joules;
}

test('attribution computed again from a recording in any format gives the same joules at the same instants', async () => {
  const folder = createFolder();
  const agent = startAgent(['run', '-c', recordingConfig(folder)]);
  await agent.waitFor(/Everything is ready/);
  // A process that starts and exits during the recording, so that series begin and end.
  execFileSync(process.execPath, ['-e', 'const end = Date.now() + 500; while (Date.now() < end);']);
  await until(() => readJoules(join(folder, 'live.json')).size > 50);
  assert.equal((await agent.stop()).code, 0);
  const live = readJoules(join(folder, 'live.json'));
  for (const format of formats) {
    const result = join(folder, `again-${format}.json`);
    const { code, stderr } = await runAgent([
      'run',
      '-c',
      replayConfig(join(folder, `raw.${format}`), result, agent.pid),
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(readJoules(result), live, `replayed from ${format}`);
  }
});

/** Writes a gauge with a value at each of these seconds. */
function writeGauges(path: string, count: number): void {
  const lines = Array.from({ length: count }, (_, second) => {
    const dataPoints = [{ timeUnixNano: `${1_800_000_000 + second}000000000`, asDouble: second }];
    const scopeMetrics = [{ metrics: [{ name: 'x', gauge: { dataPoints } }] }];
    return `${JSON.stringify({ resourceMetrics: [{ scopeMetrics }] })}\n`;
  });
  writeFileSync(path, lines.join(''));
}

test('a replay loses no point and passes on none twice when a backend is slower than the files', async (t) => {
  const folder = createFolder();
  const [recorded, copy] = ['recorded.json', 'copy.json'].map((name) => join(folder, name));
  writeGauges(recorded, 2000);
  const backend = await openHttpBackend(t, {
    answer: (count) => (count % 3 === 1 ? { status: 503 } : {}),
  });
  const config = writeConfig(`
receivers: {replay: {files: ['${recorded}']}}
exporters:
  file: {path: ${copy}}
  otlp_http:
    endpoint: ${backend.url}
    batch: {max_points: 100, max_bytes: 20000}
    sending_queue: {queue_bytes: 60000, drop: newest}
    retry_on_failure: {initial_interval: 10ms, max_interval: 10ms}
service:
  pipelines: {metrics: {receivers: [replay], exporters: [file, otlp_http]}}
  telemetry: {metrics: {level: none}}
`);
  const { code, stderr } = await runAgent(['run', '-c', config]);
  assert.equal(code, 0, stderr);
  const taken = backend.received.filter(({ status }) => status === 200);
  const values = taken.flatMap(({ bytes }) => decodePoints(bytes)).map(({ value }) => value);
  assert.deepEqual(
    values,
    Array.from({ length: 2000 }, (_, second) => second),
  );
  assert.equal(readFileSync(copy, 'utf8').trimEnd().split('\n').length, 2000);
});

test('an agent whose replay cannot read a file exits with 1 and reports it at the end', async () => {
  const [good, bad] = ['good.json', 'bad.json'].map((name) => join(createFolder(), name));
  writeGauges(good, 1);
  writeFileSync(bad, 'garbage');
  const agent = startAgent([
    'run',
    '-c',
    writeConfig(`
receivers: { replay: { files: ['${bad}', '${good}'] } }
exporters: { file: { path: /dev/null } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [replay], exporters: [file] } }
`),
  ]);
  const { code, stderr } = await agent.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Replayed 1 point of 2 files/);
  assert.match(stderr, /Ended with a failure: replay: 1 of 2 files could not be replayed\s*$/);
});

test('a replay leaves out the energy that another meter publishes, in whichever pipeline', async () => {
  const [recorded, result] = ['recorded.csv', 'result.csv'].map((name) => join(createFolder(), name));
  const row = `1970-01-01T00:00:01Z,1970-01-01T00:00:00Z,counter,double,,{},"{""hw.type"":""cpu""}",7`;
  writeFileSync(recorded, `time,start_time,kind,type,state,resource,attributes,hw.energy (J)\n${row}\n`);
  const agent = startAgent([
    'run',
    '-c',
    writeConfig(`
receivers: { replay: { files: ['${recorded}'] }, simulator: }
exporters: { file: { path: '${result}', format: csv } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [replay, simulator], exporters: [file] } }
`),
  ]);
  await agent.waitFor(/Leaving out what another receiver publishes: hw\.energy by "simulator"/);
  await agent.waitFor(/Replayed 1 point/);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(readFileSync(result, 'utf8'), /^1970/mu);
});

test('a replay that waits at its end keeps an otherwise idle agent running until a signal', async () => {
  const path = join(createFolder(), 'gauges.json');
  writeGauges(path, 1);
  const agent = startAgent([
    'run',
    '-c',
    writeConfig(`
receivers: { replay: { files: ['${path}'], at_end: wait } }
exporters: { file: { path: /dev/null } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { metrics: { receivers: [replay], exporters: [file] } }
`),
  ]);
  await agent.waitFor(/Replayed 1 point/);
  // Long enough for it to exit if nothing kept it running.
  await sleep(500);
  const { code, stderr } = await agent.stop();
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Shutting down: received SIGTERM/);
});

test('every format is readable after SIGKILL', async () => {
  const folder = createFolder();
  const gzip = join(folder, 'raw.json.gz');
  const agent = startAgent(['run', '-c', recordingConfig(folder), '-c', gzipConfig(gzip)]);
  await agent.waitFor(/Everything is ready/);
  const paths = [...formats.map((format) => join(folder, `raw.${format}`)), gzip];
  await until(() => paths.every((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 20_000));
  await agent.stop('SIGKILL');
  const [json = '', csv = '', parquet = ''] = paths;
  const lines = readFileSync(json, 'utf8').split('\n').slice(0, -1);
  for (const line of [...lines, ...gunzipSync(readFileSync(gzip)).toString().trimEnd().split('\n')])
    JSON.parse(line);
  const [header = '', ...rows] = readFileSync(csv, 'utf8').split('\n').slice(0, -1);
  const width = header.split(',').length;
  assert.ok(width > 10 && rows.length > 10);
  const points = await parquetReadObjects({ file: await asyncBufferFromFile(parquet), columns: ['value'] });
  assert.ok(points.length > 10);
});

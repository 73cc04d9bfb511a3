import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { rowOf } from '../../src/export/exporter.fixture.js';
import { deriveSeries, type Series } from '../../src/model/series.js';
import { createEnding, createRow } from '../../src/model/table.js';
import { decodeVersion2 } from './decode.fixture.js';
import { at, counter, gauge, openEncoder, startMs } from './encoder.fixture.js';

test('RemoteWriteEncoder writes labels, metadata and samples, counters with their start', () => {
  const { encoder, take } = openEncoder({}, { externalLabels: { cluster: 'c', hw_id: 'not this' } });
  const values = Float64Array.of(1, 20, 2, 21);
  encoder.add({ series: [counter, gauge], epoch: at(1000), offsets: Float64Array.of(0, 5e8), values });
  const [first, second] = take();
  assert.deepEqual(first, {
    labels: {
      __name__: 'hw_energy_joules_total',
      cluster: 'c',
      hw_id: 'package-0',
      hw_type: 'cpu',
      instance: 'node-1',
      job: 'joulemetry',
    },
    labelNames: ['__name__', 'cluster', 'hw_id', 'hw_type', 'instance', 'job'],
    type: 1,
    help: counter.metric.description,
    unit: 'joules',
    samples: [
      { value: 1, atMs: startMs + 1000, startMs },
      { value: 2, atMs: startMs + 1500, startMs },
    ],
    histograms: [],
  });
  assert.deepEqual(
    [second?.labels['__name__'], second?.type, second?.unit],
    ['hw_temperature_celsius', 2, 'celsius'],
  );
  assert.deepEqual(second?.samples[0], { value: 20, atMs: startMs + 1000, startMs: 0 });
});

test('RemoteWriteEncoder writes one stale marker for a gap, however long, and none before the first value', () => {
  const { encoder, take } = openEncoder();
  for (const [i, value] of [NaN, 1, NaN, NaN, 2].entries())
    encoder.add(createRow([gauge], at(1000 * i), Float64Array.of(value)));
  const samples = take().flatMap((series) => series.samples);
  assert.deepEqual(
    samples.map(({ value, atMs }) => [value, atMs - startMs]),
    [
      [1, 1000],
      ['stale', 2000],
      [2, 4000],
    ],
  );
});

test('RemoteWriteEncoder writes a stale marker a millisecond after the last row of a series that ended', () => {
  const { encoder, take } = openEncoder();
  encoder.add(createRow([gauge], at(1000), Float64Array.of(1)));
  encoder.add(createEnding([gauge, gauge], at(2000)));
  encoder.add({ ...createRow([counter], at(3000), Float64Array.of(1)), ended: [counter] });
  assert.deepEqual(
    take().flatMap(({ samples }) => samples.map(({ value, atMs }) => [value, atMs - startMs])),
    [
      [1, 1000],
      ['stale', 2001],
      [1, 3000],
      ['stale', 3001],
    ],
  );
});

test('A series that begins as another one with its labels ends continues without a stale marker', () => {
  const { encoder, take } = openEncoder();
  encoder.add(createRow([counter], at(1000), Float64Array.of(5)));
  const restarted = deriveSeries(counter, { start: at(1500) });
  encoder.add({ ...createRow([restarted], at(2000), Float64Array.of(1)), ended: [counter] });
  assert.deepEqual(
    take().flatMap(({ samples }) => samples),
    [
      { value: 5, atMs: startMs + 1000, startMs },
      { value: 1, atMs: startMs + 2000, startMs: startMs + 1500 },
    ],
  );
});

test('RemoteWriteEncoder leaves out what is of the same millisecond or older than the sample before', () => {
  const { encoder, take } = openEncoder();
  const offsets = Float64Array.of(0, 400_000, 999_999, 1_000_000);
  encoder.add({ series: [gauge], epoch: at(1000), offsets, values: Float64Array.of(1, 2, 3, 4) });
  encoder.add(createRow([gauge], at(500), Float64Array.of(9)));
  assert.deepEqual(
    take().flatMap(({ samples }) => samples.map(({ value }) => value)),
    [1, 4],
  );
});

const idsOf = (bytes: Uint8Array) => decodeVersion2(bytes).map(({ labels, samples }) => [labels, samples]);

test('RemoteWriteEncoder keeps to the limits of a request, which can be halved', () => {
  const { encoder, requests } = openEncoder({ limits: { maxPoints: 30, maxBytes: 1e6 } });
  encoder.add(rowOf(70));
  encoder.flush();
  assert.deepEqual(
    requests.map(({ points }) => points),
    [30, 30, 10],
  );
  const [first] = requests;
  const halves = first?.split?.() ?? [];
  assert.deepEqual(
    halves.map(({ points }) => points),
    [15, 15],
  );
  assert.ok(halves.every(({ bytes }) => bytes.length < 0.6 * (first?.bytes.length ?? 0)));
  assert.deepEqual(
    halves.flatMap(({ bytes }) => idsOf(bytes)),
    idsOf(first?.bytes ?? new Uint8Array()),
  );

  const small = openEncoder({ limits: { maxPoints: 1e6, maxBytes: 4096 } });
  small.encoder.add(rowOf(100));
  small.encoder.flush();
  assert.ok(small.requests.length > 2);
  for (const { bytes } of small.requests) assert.ok(bytes.length <= 4096, `${bytes.length}`);

  const long = openEncoder({ limits: { maxPoints: 10, maxBytes: 1e6 } });
  const offsets = Float64Array.from({ length: 25 }, (_, i) => i * 1e6);
  long.encoder.add({ series: [gauge], epoch: at(1), offsets, values: offsets });
  assert.equal(long.take().flatMap(({ samples }) => samples).length, 25);
});

test('RemoteWriteEncoder reports what the targets are once a minute', () => {
  const { encoder, take } = openEncoder({ hasTargetInfo: true });
  const host = { attributes: { 'host.name': 'node-1', 'os.type': 'linux' } };
  const service = { attributes: { ...host.attributes, 'service.name': 'shop', 'service.instance.id': 'a' } };
  const series = [host, service].map((resource) => deriveSeries(gauge, { resource }));
  for (const second of [0, 30, 61]) encoder.add(createRow(series, at(1000 * second), Float64Array.of(1, 2)));
  const found = take();
  const infos = found.filter(({ labels }) => labels['__name__'] === 'target_info');
  assert.deepEqual(
    infos.map(({ labels, samples }) => [labels['job'], labels['instance'], samples[0]?.atMs]),
    [
      ['joulemetry', 'node-1', startMs],
      ['shop', 'a', startMs],
      ['joulemetry', 'node-1', startMs + 61_000],
      ['shop', 'a', startMs + 61_000],
    ],
  );
  assert.equal(infos[0]?.labels['os_type'], 'linux');
  const jobs = found.flatMap(({ labels }) => (labels['__name__'] === 'target_info' ? [] : [labels['job']]));
  assert.deepEqual(new Set(jobs), new Set(['joulemetry', 'shop']));
});

test('RemoteWriteEncoder describes a target again when all of its series ended and others followed', () => {
  const { encoder, take } = openEncoder({ hasTargetInfo: true });
  const service = { attributes: { 'service.name': 'shop', 'service.instance.id': 'a' } };
  const [first, second] = [counter, gauge].map((one) => [deriveSeries(one, { resource: service })]);
  const infosAt = (series: readonly Series[], ms: number, ended: readonly Series[] = []) => {
    encoder.add({ ...createRow(series, at(ms), Float64Array.of(1)), ended });
    return take().flatMap(({ labels, samples }) =>
      labels['__name__'] === 'target_info' && labels['job'] === 'shop' ? [samples[0]?.atMs] : [],
    );
  };
  assert.deepEqual(infosAt(first, 0), [startMs]);
  assert.deepEqual(infosAt(first, 61_000, first), []);
  assert.deepEqual(infosAt(second, 62_000), [startMs + 62_000]);
  assert.deepEqual(infosAt([counter], 130_000, second), []);
});

test('RemoteWriteEncoder refuses a metric whose name another one has, with one warning', () => {
  const { encoder, take, warnings } = openEncoder();
  const other = {
    ...gauge,
    metric: { ...gauge.metric, name: 'hw_temperature', kind: 'updowncounter' as const },
  };
  for (const ms of [1, 2]) {
    encoder.add(createRow([gauge], at(ms), Float64Array.of(1)));
    encoder.add(createRow([other], at(ms), Float64Array.of(2)));
  }
  assert.equal(take().length, 2);
  assert.deepEqual(warnings, [
    'Cannot send the updowncounter "hw_temperature" in "Cel" as "hw_temperature_celsius": ' +
      'the gauge "hw.temperature" in "Cel" has this name',
  ]);
});

test('The name of a machine that is not this one is its instance, and a label job is renamed', () => {
  const { encoder, take } = openEncoder({}, { host: {} });
  const resource = { attributes: { 'host.name': 'other' } };
  encoder.add(createRow([{ ...gauge, resource, attributes: { job: 'x' } }], at(1), Float64Array.of(1)));
  encoder.add(createRow([{ ...gauge, resource: { attributes: {} } }], at(1), Float64Array.of(1)));
  const [first, second] = take();
  assert.deepEqual(
    [first?.labels['instance'], first?.labels['exported_job'], first?.labels['host_name']],
    ['other', 'x', 'other'],
  );
  assert.deepEqual([second?.labels['instance'], second?.labels['host_name']], [hostname(), undefined]);
});

test('RemoteWriteEncoder describes many new series in slices, in order, and flushes when it has', async () => {
  const { encoder, requests, take } = openEncoder();
  const series = Array.from({ length: 20_000 }, (_, i) => ({ ...gauge, attributes: { 'hw.id': `${i}` } }));
  const [first = gauge] = series;
  encoder.add(createRow(series, at(1000), new Float64Array(series.length).fill(1)));
  assert.equal(encoder.points, series.length);
  encoder.add({ ...createRow([first], at(2000), Float64Array.of(2)), ended: [first] });
  encoder.flush();
  assert.equal(requests.length, 0);
  await encoder.settle();
  assert.equal(encoder.points, 0);
  const samples = take();
  const ofFirst = samples.filter(({ labels }) => labels['hw_id'] === '0').flatMap((one) => one.samples);
  assert.deepEqual(ofFirst.map(({ value, atMs }) => [value, atMs - startMs]).slice(0, 2), [
    [1, 1000],
    [2, 2000],
  ]);
  assert.equal(ofFirst.length, 3);
  assert.equal(new Set(samples.map(({ labels }) => labels['hw_id'])).size, series.length);
  // What is known is written at once.
  encoder.add(createRow(series.slice(1, 9), at(3000), new Float64Array(8)));
  assert.equal(take().length, 8);
});

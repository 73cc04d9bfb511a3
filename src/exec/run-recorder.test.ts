import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Series } from '../model/series.js';
import { createRow } from '../model/table.js';
import { RunRecorder } from './run-recorder.js';

const origin = 1_800_000_000_000_000_000n;
const second = 1_000_000_000n;

function series(name: string, attributes: Attributes, identity: Attributes = {}): Series {
  const metric: Metric = { name, unit: 'J', description: '', kind: 'counter', valueType: 'double' };
  return { metric, resource: { attributes: identity }, attributes, start: origin };
}

const cpu = { 'hw.type': 'cpu', 'hw.id': 'package-0' };

function take(
  recorder: RunRecorder,
  seconds: number,
  columns: readonly Series[],
  values: readonly number[],
): void {
  const at = origin + BigInt(seconds * 10) * (second / 10n);
  recorder.take(createRow(columns, at, Float64Array.from(values)));
}

test('RunRecorder gives the energy, peak and refresh of every domain between two marks', () => {
  const recorder = new RunRecorder(origin);
  const columns = [
    series('hw.energy', { ...cpu, 'hw.name': 'Package 0', 'energy.method': 'measured' }),
    series('hw.energy', { 'hw.type': 'memory', 'hw.id': 'dram-0', 'energy.method': 'estimated' }),
  ];
  take(recorder, 0, columns, [0, 0]);
  assert.equal(recorder.mark(origin + second), 0);
  assert.equal(recorder.mark(origin + 5n * second), 1);
  for (let i = 1; i <= 60; i++) take(recorder, i / 10, columns, [i <= 30 ? i : 3 * i - 60, 7 * i]);
  const [package0, dram] = recorder.domainsFrom(0);
  assert.deepEqual([package0?.id, package0?.name, package0?.type], ['package-0', 'Package 0', 'cpu']);
  assert.deepEqual([package0?.isEstimated, dram?.isEstimated], [false, true]);
  assert.equal(package0?.joules.toFixed(6), '80.000000');
  assert.equal(dram?.joules.toFixed(6), '280.000000');
  // A window of 20 refreshes of 100 ms.
  assert.equal(package0?.peakWatts?.toFixed(6), '30.000000');
  assert.equal(package0?.refreshSeconds.toFixed(6), '0.100000');
});

/** The domains of a second that began at 1 s, between readings of 0 and of these joules at 2 s. */
function domainsOf(...columns: readonly (readonly [Series, number])[]) {
  const recorder = new RunRecorder(origin);
  const all = columns.map(([one]) => one);
  take(
    recorder,
    0,
    all,
    columns.map(() => 0),
  );
  recorder.mark(origin + second);
  take(
    recorder,
    2,
    all,
    columns.map(([, joules]) => joules),
  );
  return recorder.domainsFrom(0).map(({ id, joules }) => [id, joules]);
}

test('RunRecorder gives the energy of the whole host only where no domain is measured', () => {
  const host = series('hw.host.energy', { 'hw.type': 'host', 'hw.id': 'bmc', 'energy.method': 'measured' });
  assert.deepEqual(domainsOf([host, 200]), [['bmc', 100]]);
  assert.deepEqual(domainsOf([host, 200], [series('hw.energy', cpu), 60]), [['package-0', 30]]);
});

test('RunRecorder separates the joules of one process from those of others', () => {
  const recorder = new RunRecorder(origin);
  const [own, other] = [{ 'process.pid': 7 }, { 'process.pid': 8 }];
  const columns = [
    series('process.energy', { 'hw.type': 'cpu' }, { ...own, 'process.executable.name': 'true' }),
    series('process.energy', { 'hw.type': 'memory' }, own),
    series('process.energy', { 'hw.type': 'cpu' }, other),
  ];
  take(recorder, 1, columns, [3, 0.5, 20]);
  take(recorder, 2, columns, [4, NaN, 30]);
  assert.equal(recorder.attributedTo(own), 4.5);
  assert.equal(recorder.attributedTo({ 'process.pid': 9 }), 0);
});

test('RunRecorder gives the idle power of all domains for the time between two marks, at most their energy', () => {
  const recorder = new RunRecorder(origin);
  const idle = { 'ledger.part': 'idle' };
  const memory = { 'hw.type': 'memory', 'hw.id': 'dram-0' };
  const meters = [series('hw.energy', cpu), series('hw.energy', memory)];
  take(recorder, 0, meters, [0, 0]);
  assert.equal(recorder.isAttributed, false);
  const columns = [
    series('ledger.energy', { ...cpu, ...idle }),
    series('ledger.energy', { ...memory, ...idle }),
  ];
  take(recorder, 0, columns, [0, 0]);
  recorder.mark(origin + second);
  recorder.mark(origin + 2n * second);
  take(recorder, 4, meters, [80, 2]);
  take(recorder, 4, columns, [8, 1]);
  assert.equal(recorder.isAttributed, true);
  const persisted = { 'floor.source': 'persisted' };
  take(recorder, 4, [series('attribution.floor.power', { ...cpu, ...persisted })], [10]);
  assert.equal(recorder.isIdleKnown, false);
  take(recorder, 4, [series('attribution.floor.power', { ...memory, ...persisted })], [1]);
  assert.equal(recorder.isIdleKnown, true);
  assert.deepEqual(recorder.floorSources, ['persisted']);
  assert.equal(recorder.idleFrom(0), 10.5);
  recorder.shareIdle();
  assert.equal(recorder.idleFrom(0), 2.25);
});

/** The energy between two marks of a meter of 10 W that is refreshed every second and read ten times as often. */
function measureSlow(fromS: number, toS: number) {
  const recorder = new RunRecorder(origin);
  const columns = [series('hw.energy', cpu)];
  for (let i = 0; i <= 50; i++) {
    const at = i / 10;
    if (Math.abs(at - fromS - 0.05) < 0.01 || Math.abs(at - toS - 0.05) < 0.01) {
      recorder.mark(origin + BigInt(Math.round((at - 0.05) * 1e9)));
    }
    take(recorder, at, columns, [10 * Math.floor(at)]);
  }
  const [meter] = recorder.domainsFrom(0);
  return [meter?.joules.toFixed(6), meter?.isExtended];
}

test('RunRecorder extends the energy between the refreshes of a slow meter to the marks, where it was refreshed twice', () => {
  assert.deepEqual(measureSlow(1.25, 4.55), ['33.000000', true]);
  assert.deepEqual(measureSlow(1.25, 2.55), ['10.000000', false]);
});

test('RunRecorder gives by how much the attributed energy may be off, by the length of the windows', () => {
  const recorder = new RunRecorder(origin);
  const meters = [series('hw.energy', cpu)];
  const error = series('attribution.error', cpu);
  take(recorder, 0, meters, [0]);
  assert.equal(recorder.uncertaintyFrom(0), undefined);
  recorder.mark(origin + second);
  recorder.mark(origin + 5n * second);
  take(recorder, 8, meters, [80]);
  assert.equal(recorder.uncertaintyFrom(0), undefined);
  // A second of 0.2, then three of 0.1: of 40 J.
  for (const [seconds, value] of [
    [2, 0.2],
    [8, 0.1],
  ] as const) {
    // Each table has an array of series of its own.
    take(recorder, seconds, [error], [value]);
  }
  assert.equal(recorder.uncertaintyFrom(0)?.toFixed(6), '5.000000');
  // Half of the second part is the energy of processes that are not followed.
  const unattributed = series('attribution.unattributed', cpu);
  for (const [seconds, part] of [
    [2, 0],
    [8, 0.05],
  ] as const) {
    take(recorder, seconds, [unattributed], [part]);
  }
  assert.equal(recorder.uncertaintyFrom(0)?.toFixed(6), '3.500000');
});

test('RunRecorder knows no error of an estimate', () => {
  const recorder = new RunRecorder(origin);
  take(recorder, 0, [series('hw.energy', { ...cpu, 'energy.method': 'estimated' })], [0]);
  recorder.mark(origin);
  take(recorder, 2, [series('attribution.error', cpu)], [1]);
  assert.equal(recorder.uncertaintyFrom(0), undefined);
});

test('RunRecorder knows no idle energy, when there is no domain', () => {
  assert.equal(new RunRecorder(origin).isIdleKnown, false);
});

test('RunRecorder learns the refresh of a meter that is slower than its readings, and keeps it over a reset', () => {
  const recorder = new RunRecorder(origin);
  const first = [series('hw.energy', cpu)];
  for (let i = 0; i <= 30; i++) take(recorder, i / 10, first, [5 * Math.floor((i + 1) / 5)]);
  const refreshSeconds = () => recorder.domainsFrom(0)[0]?.refreshSeconds.toFixed(6);
  assert.equal(refreshSeconds(), '0.500000');
  const next = [{ ...series('hw.energy', cpu), start: origin + 3n * second }];
  take(recorder, 3.1, next, [0]);
  take(recorder, 3.2, next, [1]);
  assert.equal(refreshSeconds(), '0.500000');
});

test('RunRecorder takes the time to the only change for the refresh of a meter', () => {
  const recorder = new RunRecorder(origin);
  for (const [seconds, joules] of [
    [0, 1],
    [0.2, 3],
    [0.3, 3],
  ] as const)
    take(recorder, seconds, [series('hw.energy', cpu)], [joules]);
  assert.equal(recorder.domainsFrom(0)[0]?.refreshSeconds.toFixed(6), '0.200000');
});

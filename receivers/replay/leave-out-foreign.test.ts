import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import type { Metric } from '../../src/model/series.js';
import { hostEnergy, hwEnergy } from '../../src/model/shared-metrics.js';
import { busyTime } from '../../src/model/usage-metrics.js';
import { leaveOutForeign } from './leave-out-foreign.js';

const seriesOf = (metric: Metric, attributes = {}) => ({
  metric,
  resource: { attributes: {} },
  attributes,
  start: 0n,
});

const table = {
  series: [
    seriesOf(hwEnergy, { 'hw.type': 'cpu', 'hw.id': 'cpu-package-0' }),
    seriesOf(hwEnergy, { 'hw.type': 'gpu', 'hw.id': 'gpu-0' }),
    seriesOf(raplEnergy, { 'rapl.domain': 'core' }),
    seriesOf(busyTime),
    seriesOf({ ...busyTime, name: 'process.thread.count' }),
  ],
  epoch: 5n,
  offsets: Float64Array.of(0),
  values: Float64Array.of(1, 2, 3, 4, 5),
};

function passThrough(owners: Readonly<Record<string, string>>, replayed = table) {
  const next = createTableCollector();
  const log = createLogCollector();
  const claims = { ...freeClaims, claim: (key: string) => owners[key] };
  const consumer = leaveOutForeign({ id: 'replay', claims, log }, next);
  consumer.consume(replayed);
  consumer.consume(replayed);
  return { values: [...next.tables[0].values], tables: next.tables, log: log.lines };
}

test('leaveOutForeign leaves out what meters publish, and says once whose it is', () => {
  const { values, log } = passThrough({ 'energy/cpu': 'rapl', 'energy/core': 'rapl', usage: 'process/own' });
  assert.deepEqual(values, [2, 5]);
  assert.deepEqual(log, [
    'warn: Leaving out what another receiver publishes: hw.energy by "rapl"',
    'warn: Leaving out what another receiver publishes: rapl.energy by "rapl"',
    'warn: Leaving out what another receiver publishes: system.cpu.busy.time by "process/own"',
  ]);
});

test('leaveOutForeign hands everything on beside another replay', () => {
  const { tables, log } = passThrough({ 'energy/cpu': 'replay/second', usage: 'replay/second' });
  assert.equal(tables[0], table);
  assert.deepEqual(log, []);
});

test('leaveOutForeign leaves a measured host out beside a meter of the host, an estimated one beside one of the CPUs', () => {
  const hosts = ['measured', 'estimated'].map((method) =>
    seriesOf(hostEnergy, { 'hw.type': 'host', 'energy.method': method }),
  );
  const replayed = { ...table, series: hosts, values: Float64Array.of(1, 2) };
  assert.deepEqual(passThrough({ 'energy/host': 'hwmon' }, replayed).values, [2]);
  assert.deepEqual(passThrough({ 'energy/cpu': 'rapl' }, replayed).values, [1]);
});

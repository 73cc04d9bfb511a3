import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, ObservableCallback } from '@opentelemetry/api';
import { createFakeContext, createLogCollector, createTableCollector } from '../../src/component/fakes.js';
import { createSeries } from './domain.js';
import { DomainTelemetry, watchGaps } from './telemetry.js';

const columns = {
  interface: 'powercap' as const,
  domains: [
    { kind: 'package' as const, package: 0 },
    { kind: 'dram' as const, package: 0 },
  ],
  agesMs: [0, 0],
};
const series = createSeries(columns, { attributes: {} }, 0n);

function watch() {
  const log = createLogCollector();
  const next = createTableCollector();
  const added: [number, unknown][] = [];
  const context = createFakeContext({ id: 'rapl', log });
  context.meter.createCounter = () => ({ add: (count, labels) => void added.push([count, labels]) });
  const consumer = watchGaps(context, next, () => 'EIO');
  const consume = (...rows: number[][]) => {
    const values = Float64Array.from(rows.flat());
    return consumer.consume({ series, epoch: 0n, offsets: Float64Array.from(rows.keys()), values });
  };
  return { consume, next, log, added };
}

test('watchGaps passes tables on unchanged', () => {
  const { consume, next } = watch();
  assert.equal(consume([0, 0], [1, NaN]), true);
  assert.deepEqual(next.tables[0]?.values, Float64Array.of(0, 0, 1, NaN));
});

test('watchGaps counts every reading that failed', () => {
  const { consume, added } = watch();
  consume([0, 0]);
  consume([1, NaN], [NaN, NaN]);
  assert.deepEqual(added, [[3, { receiver: 'rapl' }]]);
});

test('watchGaps logs once that a domain fails for a whole table and once that it is read again', () => {
  const { consume, log } = watch();
  consume([0, 0], [1, NaN]);
  consume([2, NaN], [3, NaN]);
  consume([4, NaN]);
  consume([5, 1], [6, NaN]);
  consume([7, 3]);
  assert.deepEqual(log.lines, [
    'warn: Cannot read the energy of dram-0: EIO; trying again at every reading',
    'info: The energy of dram-0 is read again',
  ]);
});

function openTelemetry() {
  const { meter } = createFakeContext();
  const added: unknown[] = [];
  const callbacks = new Set<ObservableCallback>();
  meter.createCounter = () => ({ add: (count, attributes) => void added.push([count, attributes]) });
  meter.createObservableGauge = () => ({
    addCallback: (callback) => void callbacks.add(callback),
    removeCallback: (callback) => void callbacks.delete(callback),
  });
  const telemetry = new DomainTelemetry(meter, 'rapl');
  const observe = () => {
    const seen: [number, Attributes | undefined][] = [];
    for (const callback of callbacks)
      void callback({ observe: (value, one) => void seen.push([value, one]) });
    return seen;
  };
  return { telemetry, added, observe };
}

test('DomainTelemetry reports the source and state of each domain', () => {
  const { telemetry, observe } = openTelemetry();
  telemetry.update('powercap', [{ domain: 'core-0', source: 'intel-rapl:0:0', state: 'dead' }], 0);
  const attributes = {
    receiver: 'rapl',
    'rapl.domain': 'core-0',
    'energy.interface': 'powercap',
    source: 'intel-rapl:0:0',
    state: 'dead',
  };
  assert.deepEqual(observe(), [[1, attributes]]);
  telemetry.close();
  assert.deepEqual(observe(), []);
});

test('DomainTelemetry counts resets, including those of a sampler that was opened again', () => {
  const { telemetry, added } = openTelemetry();
  for (const resets of [0, 1, 1, 3, 2, 0]) telemetry.update('powercap', [], resets);
  const attributes = { receiver: 'rapl' };
  assert.deepEqual(added, [
    [1, attributes],
    [2, attributes],
    [2, attributes],
  ]);
});

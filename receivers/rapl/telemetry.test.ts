import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, ObservableCallback } from '@opentelemetry/api';
import { createFakeContext } from '../../src/component/fakes.js';
import { DomainTelemetry } from './telemetry.js';

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

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageTick } from '../../src/usage/usage.js';
import { Meter } from './meter.js';

test('Meter keeps only the last counters if no usage arrives', () => {
  const meter = new Meter(300e9, new UsageTick());
  for (let i = 0; i < 20; i++) {
    const windows = meter.open();
    windows.curve.read(Float64Array.of(10 * i, 0), true);
    windows.curve.read(Float64Array.of(10 * i + 9, 1), true);
  }
  meter.finish();
  const settled: number[] = [];
  for (let window = meter.takeReady(); window !== undefined; window = meter.takeReady()) {
    settled.push(window.to);
  }
  assert.deepEqual(settled, [129, 139, 149, 159, 169, 179, 189, 199]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageTick } from './windows.js';
import { Meter } from './meter.js';
import { createGap } from './workload.js';

test('Meter keeps only the last counters, when no usage comes', () => {
  const meter = new Meter(300e9, new UsageTick());
  for (let i = 0; i < 20; i++) {
    const windows = meter.open();
    windows.curve.read(10 * i, 0, true);
    windows.curve.read(10 * i + 9, 1, true);
  }
  meter.close();
  for (let i = 0; i < 20; i++) meter.push(createGap(10 * i + 9));
  const settled: number[] = [];
  for (let window = meter.takeReady(); window !== undefined; window = meter.takeReady()) {
    settled.push(window.to);
  }
  assert.deepEqual(settled, [129, 139, 149, 159, 169, 179, 189, 199]);
});

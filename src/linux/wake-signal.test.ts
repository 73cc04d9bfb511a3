import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicSinceOriginNs } from './clocks.js';
import { WakeSignal } from './wake-signal.js';

const hourNs = 3_600e9;

test('WakeSignal sleeps until the deadline and not less', () => {
  const signal = new WakeSignal(new SharedArrayBuffer(4));
  for (const restNs of [1e5, 1e6, 60e6]) {
    const lastNs = monotonicSinceOriginNs();
    const due = { lastNs, deadlineNs: lastNs + restNs };
    signal.waitUntil(due, signal.count);
    assert.ok(monotonicSinceOriginNs() >= due.deadlineNs, `${restNs} ns`);
  }
});

test('WakeSignal does not sleep, when it was raised before', () => {
  const signal = new WakeSignal(new SharedArrayBuffer(4));
  const known = signal.count;
  assert.equal(signal.isRaised(known), false);
  signal.raise();
  assert.equal(signal.count, known + 1);
  assert.equal(signal.isRaised(known), true);
  signal.wait(known);
  const nowNs = monotonicSinceOriginNs();
  signal.waitUntil({ lastNs: nowNs, deadlineNs: nowNs + hourNs }, known);
  signal.waitUntil({ lastNs: nowNs + hourNs - 10e6, deadlineNs: nowNs + hourNs }, known);
});

/** Sleeps in the way that `wait` says, says so before and after. */
const sleeper = `
  const { workerData, parentPort } = require('node:worker_threads');
  import(workerData.signalModule).then(async ({ WakeSignal }) => {
    const { monotonicSinceOriginNs } = await import(workerData.clocksModule);
    const signal = new WakeSignal(workerData.memory);
    const nowNs = monotonicSinceOriginNs();
    parentPort.postMessage('sleeping');
    signal.waitUntil({ lastNs: nowNs + workerData.lastNs, deadlineNs: nowNs + ${hourNs} }, 0);
    parentPort.postMessage('awake');
  });
`;

for (const [name, lastNs] of [
  ['a long sleep', 0],
  ['the last stretch', hourNs - 10e6],
] as const) {
  test(`raise ends ${name} of another thread`, async () => {
    const memory = new SharedArrayBuffer(4);
    const signalModule = new URL('./wake-signal.js', import.meta.url).href;
    const clocksModule = new URL('./clocks.js', import.meta.url).href;
    const worker = new Worker(sleeper, {
      eval: true,
      workerData: { memory, lastNs, signalModule, clocksModule },
    });
    const said: unknown[] = [];
    const awake = new Promise<void>((resolve, reject) => {
      worker.on('error', reject);
      worker.on('message', (message) => {
        said.push(message);
        if (message === 'sleeping') setTimeout(() => new WakeSignal(memory).raise(), 20);
        else resolve();
      });
    });
    await awake;
    assert.deepEqual(said, ['sleeping', 'awake']);
    await worker.terminate();
  });
}

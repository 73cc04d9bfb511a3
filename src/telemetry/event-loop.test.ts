import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { until } from '../testing/until.js';
import { EventLoopDelay, MainThreadSlices } from './event-loop.js';

test('EventLoopDelay reports how late its timer was, and starts again', () => {
  const delay = new EventLoopDelay(5000);
  assert.equal(delay.take(), undefined);
  delay.measure(6010);
  delay.measure(7040);
  assert.deepEqual(delay.take(), { mean: 0.02, max: 0.03 });
  assert.equal(delay.take(), undefined);
  delay.close();
});

test('MainThreadSlices reports the longest turn without its waiting time, and starts again', () => {
  const slices = new MainThreadSlices();
  slices.measure(1000, 900);
  assert.equal(slices.takeLongestMs(), 0);
  slices.measure(2000, 1898);
  slices.measure(3000, 2891);
  slices.measure(4000, 3890);
  assert.equal(slices.takeLongestMs(), 7);
  assert.equal(slices.long, 1);
  assert.equal(slices.takeLongestMs(), 0);
});

test('MainThreadSlices detects work that blocks the thread in any part of a turn, and nothing in a wait', async () => {
  const slices = new MainThreadSlices();
  slices.start();
  await wait(20);
  slices.takeLongestMs();
  setTimeout(hold, 20, 60);
  await until(() => slices.takeLongestMs() >= 60);
  setImmediate(hold, 70);
  await until(() => slices.takeLongestMs() >= 70);
  void Promise.resolve().then(() => hold(80));
  await until(() => slices.takeLongestMs() >= 80);
  slices.close();
});

test('MainThreadSlices stops measuring once it is closed', async () => {
  const slices = new MainThreadSlices();
  slices.start();
  slices.close();
  hold(60);
  await wait(1);
  assert.equal(slices.takeLongestMs(), 0);
});

test('MainThreadSlices does not keep the process running', () => {
  const script = `
    import { MainThreadSlices } from ${JSON.stringify(new URL('event-loop.js', import.meta.url).href)};
    new MainThreadSlices().start();`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 });
  assert.equal(status, 0);
});

function hold(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

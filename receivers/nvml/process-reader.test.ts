import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { readClocks } from '../../src/linux/clocks.js';
import { buildNvml, h100, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { NvmlLibrary } from './library.js';
import { ProcessReader } from './process-reader.js';

/** A reader whose wall clock, which is also that of the driver, can be set. */
function open(t: TestContext) {
  const nvml = buildNvml(h100);
  const library = new NvmlLibrary(nvml.path);
  t.after(() => library.unload());
  const clock = { offMs: 0 };
  const readSetClocks = () => {
    const reading = readClocks();
    return { ...reading, realtimeNs: reading.realtimeNs + BigInt(clock.offMs) * 1_000_000n };
  };
  const reader = new ProcessReader({ library, device: 1 }, true, readSetClocks);
  const startMs = Date.now();
  reader.read();
  /** Samples: milliseconds of the wall clock after the start, pid, percentage. */
  const readWith = (...samples: readonly (readonly [ms: number, pid: number, percent: number])[]) => {
    const entries = samples.map(([ms, pid, percent]) => `${pid} ${(startMs + ms) * 1000} ${percent} 0 0 0`);
    nvml.set({ '0.ProcessUtilization': `0 ${entries.join(' ')}` });
    const { usage } = reader.read();
    return usage && { ms: Number(usage.toNs - usage.fromNs) / 1e6, samples: usage.samples };
  };
  return { reader, nvml, clock, readWith };
}

const general = (samples: readonly { pid: number; shares: { general?: number } }[] = []) =>
  samples.map(({ pid, shares }) => [pid, shares.general]);

const hourMs = 3_600_000;

for (const [name, offMs] of [
  ['forward', hourMs],
  ['back', -hourMs],
] as const) {
  test(`ProcessReader continues its window when the wall clock is set ${name}`, { skip }, (t) => {
    const { clock, readWith } = open(t);
    readWith([100, 11, 50]);
    clock.offMs = offMs;
    const found = readWith([offMs + 500, 11, 60]);
    assert.ok(Math.abs((found?.ms ?? NaN) - 400) < 50, `${found?.ms} ms`);
    assert.deepEqual(general(found?.samples), [[11, 60]]);
  });
}

test('ProcessReader does not use samples from before the clock was set back', { skip }, (t) => {
  const { clock, readWith } = open(t);
  readWith([100, 11, 50]);
  clock.offMs = -hourMs;
  const found = readWith([200, 12, 70], [500 - hourMs, 11, 60]);
  assert.ok(Math.abs((found?.ms ?? NaN) - 400) < 50, `${found?.ms} ms`);
  assert.deepEqual(general(found?.samples), [[11, 60]]);
});

test('ProcessReader uses the newest of several samples of a process', { skip }, (t) => {
  const { readWith } = open(t);
  readWith([100, 11, 50]);
  const found = readWith([400, 11, 40], [500, 11, 60], [450, 11, 70], [500, 12, 20]);
  assert.deepEqual(general(found?.samples), [
    [11, 60],
    [12, 20],
  ]);
});

test('ProcessReader reports what the driver lacks, and what it could not read', { skip }, (t) => {
  const { '*.ProcessUtilization': _, '*.MPSComputeRunningProcesses': __, ...answers } = h100;
  const nvml = buildNvml({ ...answers, '0.GraphicsRunningProcesses': '4' });
  const library = new NvmlLibrary(nvml.path);
  t.after(() => library.unload());
  const reader = new ProcessReader({ library, device: 1 }, true);
  assert.deepEqual(reader.missing, [
    ['utilization of processes', 3],
    ['graphics processes', -1],
    ['mps processes', -1],
  ]);
  nvml.set({ '0.ComputeRunningProcesses': '999' });
  assert.deepEqual(
    [reader.read(), reader.failures],
    [{ usage: undefined, memory: undefined }, [['compute processes', 999]]],
  );
  nvml.set({ '0.ComputeRunningProcesses': '0 11 5' });
  assert.deepEqual(reader.read().memory, [{ pid: 11, context: 'compute', bytes: 5 }]);
  assert.deepEqual(reader.failures, []);
});

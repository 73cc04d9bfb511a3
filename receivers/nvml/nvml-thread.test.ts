import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnavailableError } from '../../src/errors.js';
import { until } from '../../src/testing/until.js';
import { buildNvml, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { NvmlThread } from './nvml-thread.js';
import type { ThreadOptions } from './protocol.js';

function createOptions(library: string): ThreadOptions {
  return { library, procfs: '/proc', hasProcesses: false, hasProfiling: false, hasPcieSampling: false };
}

test(
  'NvmlThread rejects readings while the driver hangs, and reads again when it answers',
  { skip },
  async () => {
    const nvml = buildNvml();
    const { thread } = await NvmlThread.open(createOptions(nvml.path));
    nvml.set({ 'delay.TotalEnergyConsumption': '0 1000000' });
    const impatient = thread.read(50);
    await assert.rejects(
      impatient,
      /Cannot read NVML: expected an answer of the driver, found none within \d+ s/,
    );
    await assert.rejects(
      thread.read(),
      /expected an answer of the driver/,
      'the thread gets no second order',
    );
    nvml.remove('delay.TotalEnergyConsumption');
    await until(async () => {
      const reading = await thread.read().catch(() => undefined);
      return reading?.rows.length === 1;
    });
    await thread.close();
    await assert.rejects(thread.read(), /found an ended one/);
  },
);

test('NvmlThread is closed twice without harm, and does not open without a library', { skip }, async () => {
  const { thread } = await NvmlThread.open(createOptions(buildNvml().path));
  await thread.close();
  await thread.close();
  await assert.rejects(NvmlThread.open(createOptions('/nowhere/libnvidia-ml.so.1')), UnavailableError);
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { countThreads } from '../../src/linux/open-resources.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { factory } from './factory.js';
import { buildNvml, h100, repeatGpu, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

function probe(library: string) {
  return factory.probe(parseSettings(factory.schema, { library }), createFakeContext());
}

test('nvml rejects a vGPU, with its name', { skip }, async (t) => {
  const virtual = { '0.VirtualizationMode': '0 2', '0.Name': '0 GRID A100-10C' };
  const found = await probe(buildNvml({ ...h100, ...virtual }).path);
  assert.equal(found.available, false);
  assert.match(
    found.found,
    /Cannot read "GRID A100-10C" \(GPU-31540c43-[-0-9a-f]+\): expected a GPU, found a vGPU/,
  );
  const rig = await startRig(t, { answers: { ...repeatGpu(2), ...virtual } });
  assert.ok(rig.log.lines.some((line) => line.startsWith('warn: Cannot read "GRID A100-10C"')));
  assert.equal(rig.next.last('hw.energy').length, 1, 'the other one is read');
  await rig.readWith({ '1.lost': '0 15' });
  rig.nvml.remove('1.lost');
  await until(async () => {
    await rig.read();
    return rig.last('hw.status', { 'hw.state': 'ok' }) === 1;
  });
  assert.equal(rig.log.lines.filter((line) => line.includes('found a vGPU')).length, 1, 'it is said once');
});

test('nvml probes the devices, and reports what is missing', { skip }, async () => {
  const { available, found } = await probe(buildNvml(repeatGpu(2)).path);
  assert.deepEqual(
    { available, found },
    { available: true, found: 'driver 580.159.04: 2 x NVIDIA H100 80GB HBM3' },
  );
  const missing = await probe('/nowhere/libnvidia-ml.so.1');
  assert.equal(missing.available, false);
  assert.match(missing.found, /Cannot load "\/nowhere\/libnvidia-ml\.so\.1"/);
  assert.match(missing.remedies[0].command, /libnvidia-compute/);
  const mismatch = await probe(buildNvml({ ...h100, Init: '18' }).path);
  assert.match(
    mismatch.found,
    /Cannot initialize NVML: driver and library have different versions \(NVML 18\)/,
  );
  assert.equal(mismatch.remedies[0].command, 'sudo reboot');
  const none = await probe(buildNvml({ ...h100, Count: '0 0' }).path);
  assert.match(none.found, /NVML knows no GPU/);
  const refused = await probe(buildNvml({ ...h100, '0.Handle': '4' }).path);
  assert.match(refused.found, /Cannot open GPU 0: no permission \(NVML 4\)/);
});

const hasDevice = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');

test(
  'nvml starts no thread and loads nothing if there is no driver',
  { skip: hasDevice && 'this machine has an NVIDIA driver' },
  async () => {
    const threads = countThreads();
    const config = parseSettings(factory.schema, { procfs: createFolder() });
    const { available, found } = await factory.probe(config, createFakeContext());
    assert.equal(available, false);
    assert.match(found, /^no NVIDIA driver: .*\/driver\/nvidia\/version does not exist$/);
    assert.equal(countThreads(), threads);
  },
);

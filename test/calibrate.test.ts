import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FakeSysfs } from '../receivers/rapl/fake-sysfs.fixture.js';
import { loadCalibrations } from '../src/energy/calibration.js';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { runAgent } from './agent.js';

/**
 * A machine of files: the package uses 20 W, and 80 W while a file exists; the platform uses 1.25 times that
 * plus 30 W.
 */
function startMachine(busyFile: string) {
  const sysfs = new FakeSysfs();
  let [lastMs, packageUj] = [performance.now(), 0];
  const beginMs = lastMs;
  const write = () => {
    const nowMs = performance.now();
    packageUj += (existsSync(busyFile) ? 80 : 20) * 1000 * (nowMs - lastMs);
    lastMs = nowMs;
    sysfs.writeEnergy('intel-rapl:0', Math.round(packageUj));
    const platformUj = 1.25 * packageUj + 30 * 1000 * (nowMs - beginMs);
    sysfs.writeEnergy('intel-rapl:1', Math.round(platformUj));
  };
  sysfs.writeZone('intel-rapl:0', { name: 'package-0', microjoules: 0 });
  sysfs.writeZone('intel-rapl:1', { name: 'psys', microjoules: 0 });
  const timer = setInterval(write, 10);
  return { sysfs, stop: () => clearInterval(timer) };
}

test('calibrate compares a meter with the sensors over idle and load, and stores what it finds', async () => {
  const folder = createFolder();
  const busyFile = join(folder, 'busy');
  const output = join(folder, 'calibration.json');
  const { sysfs, stop } = startMachine(busyFile);
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `receivers: {rapl: {sysfs: ${sysfs.root}, sampling_interval: 20ms, flush_interval: 100ms}}
exporters: {debug: {}}
service: {pipelines: {metrics: {receivers: [rapl], exporters: [debug]}}}
`,
  );
  const load = `trap 'rm -f ${busyFile}; exit 0' TERM; touch ${busyFile}; while :; do sleep 0.05; done`;
  const { code, stdout, stderr } = await runAgent([
    'calibrate',
    '--config',
    config,
    '--meter',
    'psys',
    '--load',
    load,
    '--phase',
    '3s',
    // Time for the shell of the load to start on a busy machine.
    '--settle',
    '2s',
    '--output',
    output,
  ]).finally(stop);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Meter:   "psys" \(rapl\.energy\)/u);
  assert.match(stdout, /^Sensors: cpu-package-0$/mu);
  const calibration = loadCalibrations(output).get('psys');
  assert.ok(calibration && Math.abs(calibration.gain.value - 1.25) < 0.05, stdout);
  assert.ok(Math.abs(calibration.offset.value - 30) < 3, stdout);
  assert.equal(existsSync(busyFile), false, 'the load has ended');
});

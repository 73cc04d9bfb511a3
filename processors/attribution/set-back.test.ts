import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { confirm, linesOf } from './audit.fixture.js';
import { RigGpu } from './rig-gpu.fixture.js';
import { Rig, RigProcess, unixNs } from './rig.fixture.js';

for (const firstS of [0.5, 0.8]) {
  const side = firstS < 0.6 ? 'before' : 'after';
  test(`attribution books no window of a GPU twice when the clock was set back and its first scan is ${side} the last one`, async () => {
    const path = join(createFolder(), 'audit.jsonl');
    const rig = new Rig({ audit: { path } });
    const gpu = new RigGpu(rig);
    const process = new RigProcess({ 'process.pid': 1 }, 0);
    const scan = (fromS: number, elapsedS: number) =>
      gpu.scan(fromS + elapsedS, [[process, elapsedS]], elapsedS, 10 * elapsedS);
    for (const atS of [0, 1, 2]) {
      scan(0, atS);
      rig.boundary(atS, atS);
    }
    // From 2 s to 1.4 s. There is no meter of CPUs, and the GPU is read before them.
    rig.end(1.4, ...rig.restartBusy(1.4), ...gpu.restart(1.4));
    for (const elapsedS of [firstS, 2, 3]) {
      scan(1.4, elapsedS);
      rig.boundary(1.4 + elapsedS, elapsedS);
    }
    await rig.processor.shutdown();
    const all = rig.out
      .last('ledger.energy')
      .map(({ series, value }) => [series.start, series.attributes['ledger.part'], value.toFixed(6)]);
    // The usage up to the second scan has no beginning in the new ledger.
    assert.deepEqual(all, [
      [unixNs(0), 'attributed', '20.000000'],
      [unixNs(1.4), 'attributed', '10.000000'],
      [unixNs(1.4), 'unattributed', '20.000000'],
    ]);
    const lines = linesOf(path);
    assert.equal(confirm(lines).windows, 5);
    assert.equal(lines.filter((line) => line.startsWith('{"audit"')).length, 2);
  });
}

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Series } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { interruptTime } from '../../src/model/usage-metrics.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { confirm, linesOf } from './audit.fixture.js';
import { playSecond, Rig, RigProcess, unixNs } from './rig.fixture.js';

function createInterrupts({ resource }: Series): Series {
  return { metric: interruptTime, resource, attributes: {}, start: unixNs(0) };
}

/** Seconds of 10 W in which a process uses 0.6 s of a busy second, and interrupts the given time. */
function play(interruptS: number, settings: object = {}): Rig {
  const rig = new Rig(settings);
  const meter = rig.createMeter();
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  const interrupts = createInterrupts(meter);
  for (let atS = 0; atS <= 3; atS++) {
    rig.consume(createRow([interrupts], unixNs(atS), Float64Array.of(interruptS * atS)));
    playSecond({ rig, meter, used: [[process, 0.6 * atS]] }, atS);
  }
  return rig;
}

test('attribution separates the energy of interrupts, and marks only the rest as unseen', () => {
  assert.deepEqual(play(0.1).parts(), { attributed: 18, interrupt: 3, unseen: 9 });
  assert.deepEqual(play(0).parts(), { attributed: 18, unseen: 12 });
});

test('attribution limits the energy of interrupts to what workloads leave', () => {
  assert.deepEqual(play(0.7).parts(), { attributed: 18, interrupt: 12 });
});

test('attribution divides the interrupts of the machine among its packages by their busy time', () => {
  const rig = new Rig({ cpu_count: 4 });
  const meters = [0, 1].map((number) => rig.createMeter({ 'hw.id': `cpu-package-${number}` }));
  const interrupts = createInterrupts(meters[0]);
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (let atS = 0; atS <= 3; atS++) {
    for (const meter of meters) rig.energy(meter, atS, 10 * atS);
    rig.packageUsage(atS, [[process, 0.6 * atS, [0.6 * atS, 0]]]);
    rig.consume(createRow([interrupts], unixNs(atS), Float64Array.of(0.2 * atS)));
    rig.boundary(atS, 1.25 * atS, [atS, 0.25 * atS]);
  }
  // Of a second on the first package, 160 ms are interrupts; of 250 ms on the second one, 40 ms.
  assert.deepEqual(rig.parts('cpu-package-0'), { attributed: 18, interrupt: 4.8, unseen: 7.2 });
  assert.deepEqual(rig.parts('cpu-package-1'), { attributed: 0, interrupt: 4.8, unseen: 25.2 });
});

test('An audit recomputes the energy of interrupts', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  await play(0.1, { audit: { path }, floor: [{ power: 4 }] }).processor.shutdown();
  const lines = linesOf(path);
  assert.ok(confirm(lines).windows >= 2);
  const tampered = lines.map((line) => line.replace('"interrupt_nj":600000000', '"interrupt_nj":600000001'));
  assert.throws(() => confirm(tampered), {
    message: /^energy of interrupts in the window .*: expected 600000000 nJ, found 600000001 nJ$/u,
  });
});

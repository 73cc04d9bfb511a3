import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RigGpu, RigInstance } from './rig-gpu.fixture.js';
import { Rig, RigProcess } from './rig.fixture.js';

// The figures of Kepler's tests (internal/device/gpu/nvidia/collector_test.go of its main branch of August
// 2026): a GPU of 100 W, of which 40 W are idle.

/** The charge of each process in a second, by pid, with idle and unattributed energy. */
function playKepler(
  settings: object,
  play: (rig: Rig, gpu: RigGpu, processes: readonly RigProcess[]) => void,
) {
  const rig = new Rig({ floor: [{ hw_type: 'gpu', power: 40 }], ...settings });
  const gpu = new RigGpu(rig);
  play(
    rig,
    gpu,
    [1001, 1002].map((pid) => new RigProcess({ 'process.pid': pid }, 0)),
  );
  return { watts: rig.processes(), parts: rig.parts('GPU-1') };
}

const [none, sixty, forty] = [0, 0.6, 0.4];

test('attribution gives the only process of a GPU its active power, as Kepler does', () => {
  const { watts, parts } = playKepler({}, (_, gpu, [first]) => {
    gpu.scan(0, [[first, none]], 0, 0);
    gpu.scan(1, [[first, sixty]], sixty, 100);
  });
  assert.deepEqual(watts, { 1001: 60 });
  assert.deepEqual(parts, { attributed: 60, idle: 40 });
});

test('attribution divides the active power of a GPU by use of its SMs, as Kepler does', () => {
  const { watts } = playKepler({}, (_, gpu, [first, second]) => {
    gpu.scan(
      0,
      [
        [first, none],
        [second, none],
      ],
      0,
      0,
    );
    gpu.scan(
      1,
      [
        [first, sixty],
        [second, forty],
      ],
      1,
      100,
    );
  });
  assert.deepEqual(watts, { 1001: 36, 1002: 24 });
});

test('attribution divides the active power of a GPU among MIG instances by their activity, as Kepler does', () => {
  const { watts } = playKepler({}, (rig, gpu, processes) => {
    const instances = ['MIG-1', 'MIG-2'].map((id) => new RigInstance(rig, id, 'GPU-1'));
    const scan = (atS: number, used: readonly number[], joules: number) => {
      instances.forEach((instance, i) => instance.scan(atS, processes[i], used[i]));
      gpu.scan(atS, [], atS, joules);
    };
    scan(0, [none, none], 0);
    scan(1, [sixty, forty], 100);
  });
  assert.deepEqual(watts, { 1001: 36, 1002: 24 });
});

test('attribution uses the configured idle power of a GPU from the first window on, as Kepler does', () => {
  const floor = { floor: [{ hw_type: 'gpu', power: 30 }] };
  const { watts, parts } = playKepler(floor, (_, gpu, [first]) => {
    gpu.scan(0, [[first, none]], 0, 0);
    gpu.scan(1, [[first, sixty]], sixty, 100);
  });
  assert.deepEqual([watts, parts['idle']], [{ 1001: 70 }, 30]);
});

test("attribution charges none of a GPU's energy while its power is at most its idle power, as Kepler does", () => {
  const { watts, parts } = playKepler({}, (_, gpu, [first]) => {
    gpu.scan(0, [[first, none]], 0, 0);
    gpu.scan(1, [[first, sixty]], sixty, 40);
  });
  assert.deepEqual([watts, parts], [{}, { attributed: 0, idle: 40 }]);
});

test('attribution charges nothing to processes that used no SM, where Kepler divides the power equally', () => {
  const { watts, parts } = playKepler({}, (_, gpu, [first, second]) => {
    for (const atS of [0, 1]) {
      gpu.scan(
        atS,
        [
          [first, none],
          [second, none],
        ],
        0,
        100 * atS,
      );
    }
  });
  assert.deepEqual([watts, parts], [{}, { attributed: 0, idle: 40, no_usage: 60 }]);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupMachine } from './cgroup-machine.fixture.js';
import type { Rig } from './rig.fixture.js';

const metrics = ['process.energy', 'program.energy', 'linux.cgroup.energy', 'systemd.unit.energy'];
const views = ['process', 'program', 'cgroup', 'unit'];

function sumJoules({ out }: Rig, metric: string): number {
  return out.last(metric).reduce((sum, { value }) => sum + value, 0);
}

const skews = [
  { readAfter: -1 },
  { readAfter: 0 },
  { readAfter: 3 },
  { readAfter: -10 },
  { readAfter: 20 },
  { readAfter: 3, isLate: true },
];

for (const skew of skews) {
  test(`attribution finds the usage of each cgroup: ${JSON.stringify(skew)}`, () => {
    const isNear = Math.abs(skew.readAfter) <= 3 && !skew.isLate;
    for (const seed of [1, 2, 3]) {
      const options = { seed, scans: 100, ...skew };
      const machine = new CgroupMachine(options, { views }).play();
      const { rig } = machine;
      assert.deepEqual(
        rig.logLines.filter((line) => line.startsWith('error')),
        [],
      );
      const { attributed = 0 } = rig.parts();
      for (const metric of metrics) assert.ok(Math.abs(sumJoules(rig, metric) - attributed) < 1e-9, metric);
      for (const path of ['/a', '/a/x', '/a/x/deep', '/a/y', '/b', '/c']) {
        const [truth, charged] = [machine.truthOf(path), machine.chargedTo(path)];
        const said = `seed ${seed}: ${path} used ${truth} s and was charged for ${charged} s`;
        // Its counters are not read at the instant of its parent's, and what it lacks is carried over, up to 0.1 s.
        assert.ok(charged <= truth + 0.1, said);
        assert.ok(charged >= truth * (isNear ? 0.99 : 0.8), said);
      }
      const { rig: without } = new CgroupMachine({ ...options, hasCgroups: false }, { views }).play();
      const { undefined: unseen = 0, ...processes } = rig.processes();
      assert.ok(unseen > 100);
      assert.deepEqual(processes, without.processes());
    }
  });
}

test('attribution never charges more than the machine used if processes move unnoticed', () => {
  for (const seed of [1, 2, 3]) {
    const options = { seed, scans: 100, readAfter: -1, hasMoves: true };
    const { rig } = new CgroupMachine(options, { views }).play();
    const { rig: without } = new CgroupMachine({ ...options, hasCgroups: false }, { views }).play();
    const { undefined: unseen = 0, ...processes } = rig.processes();
    assert.deepEqual(processes, without.processes());
    assert.ok(unseen <= (without.parts()['unseen'] ?? 0));
    for (const metric of metrics) {
      assert.ok(Math.abs(sumJoules(rig, metric) - (rig.parts()['attributed'] ?? 0)) < 1e-9, metric);
    }
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMachine, write, type Files } from './fake-cgroups.fixture.js';

const stat = 'usage_usec 30\nuser_usec 20\nsystem_usec 10\n';

function listCgroups(from: number, to: number): Files {
  const paths = Array.from({ length: to - from }, (_, i) => `group-${from + i}`);
  return Object.fromEntries(
    paths.flatMap((path) => [
      [`${path}/cgroup.procs`, ''],
      [`${path}/cpu.stat`, stat],
      [`${path}/pids.current`, '1\n'],
    ]),
  );
}

/** For each table the number of yields before it. */
function countYields(steps: readonly unknown[]): readonly number[] {
  const counts: number[] = [];
  let yields = 0;
  for (const step of steps) {
    if (step === undefined) yields += 1;
    else {
      counts.push(yields);
      yields = 0;
    }
  }
  return counts;
}

test('CgroupScraper yields after every 8 files that it reads for the first time, and later after every part', async (t) => {
  const metrics = { memory: false, io: false, pids: true, pressure: false };
  const machine = openMachine(
    t,
    { 'cgroup.controllers': 'cpu pids\n', 'cgroup.procs': '', ...listCgroups(0, 64) },
    { metrics, include: '^/group-', details_interval: '1s' },
  );
  // Two parts with 32 cgroups each, their CPU time first, then two files with details of each cgroup.
  assert.deepEqual(countYields(await machine.scanInSteps()), [3, 3, 7, 7]);
  assert.deepEqual(countYields(await machine.scanInSteps()), [0, 0, 0, 0]);
  write(machine.folder, listCgroups(64, 66));
  assert.deepEqual(countYields(await machine.scanInSteps()), [0, 0, 0, 0, 0, 0]);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { readChildUsage } from '../linux/children.js';
import { openCommandCpu } from './command-usage.js';

/** Above the largest pid of Linux. */
const noPid = 2 ** 22 + 1;

/** The CPU time of a child, if the kernel has not reported some of it, and what getrusage counts. */
function countWith(unreportedNs: number): readonly [countedNs: number, usedNs: number] {
  const before = readChildUsage();
  const readUsedNs = () => {
    const { userNs, systemNs } = readChildUsage();
    return userNs + systemNs - before.userNs - before.systemNs;
  };
  const tree = {
    follow: () => true,
    followedCount: 1,
    lost: 0,
    get totalNs() {
      return readUsedNs() - unreportedNs;
    },
    get programs() {
      return [{ name: 'sh', cpuNs: this.totalNs, processes: 1 }];
    },
    read() {},
    settle: () => Promise.resolve(),
  };
  const cpu = openCommandCpu(noPid, { tree, sinceNs: 0n, noteSum: assert.fail });
  spawnSync('sh', ['-c', 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done']);
  const { totalNs, programs } = cpu.finish();
  assert.equal(programs[0]?.cpuNs, totalNs);
  return [totalNs, readUsedNs()];
}

test('openCommandCpu adds what getrusage counts beyond the reports of the kernel, but not the launch', () => {
  const [countedNs, usedNs] = countWith(3e6);
  assert.equal(countedNs, usedNs);
  const [withoutLaunchNs, withLaunchNs] = countWith(5e5);
  assert.equal(withLaunchNs - withoutLaunchNs, 5e5);
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { skipFor } from '../../testing/needs.fixture.js';
import { listProcessTree, readChildUsage } from '../children.js';
import { startHeld } from '../held-child.js';
import { PerfEventError } from './event.js';
import { openPerfTreeCpuTime, openProcfsTreeCpuTime } from './tree-cpu-time.js';

const refused = (() => {
  try {
    openPerfTreeCpuTime(process.pid).close();
    return false;
  } catch (error) {
    assert.ok(error instanceof PerfEventError);
    return skipFor(error.message);
  }
})();

/** Burns CPU time in itself and in three children, one after the other. */
const burn = 'b() { i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; }; (b); (b); (b); b';

function countChildrenNs(): number {
  const { userNs, systemNs } = readChildUsage();
  return userNs + systemNs;
}

test('openPerfTreeCpuTime counts a program and its children', { skip: refused }, async () => {
  const beforeNs = countChildrenNs();
  const child = await startHeld('sh', ['-c', burn]);
  const cpuTime = openPerfTreeCpuTime(child.pid);
  assert.equal(cpuTime.readNs(), 0);
  child.release();
  await child.ended;
  const usedNs = cpuTime.readNs();
  cpuTime.close();
  const wantedNs = countChildrenNs() - beforeNs;
  // Without its launch and the ends of its processes, a few milliseconds of some hundred.
  assert.ok(usedNs > 0.7 * wantedNs && usedNs < 1.1 * wantedNs, `${usedNs} of ${wantedNs}`);
});

test('openProcfsTreeCpuTime counts a process, its children that live and its children that ended', async () => {
  const script = `${burn}; while :; do :; done & echo ready; read line; kill $!; wait $!`;
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  const pid = child.pid ?? 0;
  const cpuTime = openProcfsTreeCpuTime(pid);
  await once(child.stdout, 'data');
  const ownNs = cpuTime.readNs();
  assert.ok(ownNs >= 20e6, `${ownNs}`);
  assert.equal(listProcessTree(pid).length, 2);
  while (cpuTime.readNs() < ownNs + 50e6) await new Promise((resolve) => setImmediate(resolve));
  child.stdin.end('\n');
  await once(child, 'exit');
  assert.ok(cpuTime.readNs() >= ownNs + 50e6);
  cpuTime.close();
});

test('openProcfsTreeCpuTime stays at 0, when there is no such process', () => {
  assert.equal(openProcfsTreeCpuTime(2 ** 30).readNs(), 0);
});

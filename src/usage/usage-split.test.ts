import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeUsages, type Usage } from './usage.js';
import { splitUsage } from './usage-split.js';
import { byFrequency } from './weighing.js';
import { Workload } from './workload.js';

function createWorkload(pid: number, bornAt: number, endedAt = Infinity): Workload {
  const workload = new Workload({ attributes: { 'process.pid': pid } }, bornAt, { groups: [] });
  workload.endedAt = endedAt;
  return workload;
}

/** From 100 to 200: one workload lives all the time, one ends at 130, one is born at 160. */
const usage: Usage = {
  firstTo: 200,
  to: 200,
  busyNs: 100,
  interruptNs: 4,
  machineBusyNs: 120,
  isGap: false,
  workloads: [createWorkload(1, 0), createWorkload(2, 0, 130), createWorkload(3, 160)],
  cpuNs: [40, 20, 10],
  lifeNs: [100, 30, 40],
  weighing: { weight: byFrequency, whole: 200, parts: [60, 30, 10], byTime: 50 },
  events: { machine: [90], workloads: [[48, 12, 10]] },
  instances: [{ id: 'mig-1', usedNs: 8 }],
};

test('splitUsage divides usage evenly over the life of each workload', () => {
  const [first, second] = splitUsage(usage, 100, 150);
  // The second has ended, the third is not born yet; of the other 30, half belongs to each part.
  assert.deepEqual([first.to, first.cpuNs, first.lifeNs, first.busyNs], [150, [20, 20, 0], [50, 30, 0], 55]);
  assert.deepEqual([second.to, second.cpuNs, second.lifeNs], [200, [20, 0, 10], [50, 0, 40]]);
  assert.deepEqual([first.interruptNs, first.machineBusyNs], [2, 60]);
  assert.deepEqual(first.weighing, { weight: byFrequency, whole: 110, parts: [30, 30, 0], byTime: 28 });
  assert.deepEqual(first.events, { machine: [46], workloads: [[24, 12, 0]] });
  assert.deepEqual(first.instances, [{ id: 'mig-1', usedNs: 4 }]);
  assert.deepEqual([first.firstTo, second.firstTo], [150, 200]);
});

test('splitUsage loses nothing, wherever it divides', () => {
  for (let at = 101; at < 200; at++) {
    const { events, ...merged } = mergeUsages(splitUsage(usage, 100, at));
    const { events: _, ...whole } = { ...usage, firstTo: at };
    assert.deepEqual(merged, whole);
    assert.equal(events?.machine[0].toFixed(9), '90.000000000');
  }
});

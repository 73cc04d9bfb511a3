import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupNode } from '../../src/usage/cgroup-node.js';
import { CountedEvents } from '../../src/usage/counted-events.js';
import { cutUsage, type Usage } from '../../src/usage/usage.js';
import { byFrequency, raiseFrequency } from '../../src/usage/weighing.js';
import { Workload } from '../../src/usage/workload.js';
import { createEvent } from './counts.fixture.js';

/** A cgroup, and a process in it. */
function createJob(pid: number) {
  const node = new CgroupNode('/jobs', undefined);
  node.members = 1;
  const workload = new Workload({ attributes: { 'process.pid': pid } }, 0, { groups: [], cgroup: node });
  return { node, workload };
}

test('CountedEvents continues with a cgroup that was empty for some time and is then a new node', () => {
  let job = createJob(1);
  const other = new Workload({ attributes: { 'process.pid': 9 } }, 0, { groups: [], cgroup: undefined });
  const events = new CountedEvents({
    place: 0,
    weight: byFrequency,
    names: ['cycles'],
    scale: 1,
    epoch: 0n,
    find: () => undefined,
    findCgroup: () => job.node,
  });
  const resource = { attributes: { 'linux.cgroup.path': '/jobs' } };
  const [machine, jobs] = [createEvent('cycles'), { ...createEvent('cycles'), resource }].map((series) =>
    events.counterOf({ ...series, start: 0n }),
  );
  const cut = (from: number, to: number) =>
    events.cut(
      [from, to],
      { workloads: [other, job.workload], cpuNs: [500, 500], busyNs: 1000 },
      undefined,
    )?.[0];
  machine?.read(1000, 1000);
  jobs?.read(900, 1000);
  assert.deepEqual(cut(0, 1000)?.parts, [100, 900]);
  job.node.members = 0;
  machine?.read(1100, 2000);
  jobs?.read(900, 2000);
  assert.equal(cut(1000, 2000), undefined);
  job = createJob(2);
  machine?.read(2100, 3000);
  jobs?.read(1800, 3000);
  assert.deepEqual(cut(2000, 3000)?.parts, [100, 900]);
});

test('raiseFrequency leaves a package unchanged on which nothing was counted', () => {
  const none = { weight: byFrequency, whole: 0, parts: [0], byTime: 0 } as const;
  assert.deepEqual(raiseFrequency(none, { busyNs: 0, cpuNs: [0] }, 2), none);
});

test('cutUsage also cuts counts of several workloads together', () => {
  const [early, late] = [createJob(1).workload, createJob(2).workload];
  const workloads = [early, new Workload(late.resource, 5, { groups: [], cgroup: undefined })];
  const weighing = { weight: byFrequency, whole: 100, parts: [10, 90], byTime: 100 } as const;
  const times = { cpuNs: [10, 10], lifeNs: [10, 10] };
  const usage: Usage = { firstTo: 10, to: 10, busyNs: 20, isGap: false, workloads, ...times, weighing };
  assert.deepEqual(cutUsage(usage, 5).weighing, { weight: byFrequency, whole: 10, parts: [10], byTime: 10 });
});

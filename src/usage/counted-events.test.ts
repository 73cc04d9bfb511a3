import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resource, Series } from '../model/series.js';
import { CgroupNode } from './cgroup-node.js';
import { CountedEvents } from './counted-events.js';
import { byFrequency } from './weighing.js';
import { Workload } from './workload.js';

const counted = { name: 'perf.event.count', unit: '{event}', description: '' } as const;

function createCycles(attributes: Resource['attributes']): Series {
  return {
    metric: { ...counted, kind: 'counter', valueType: 'double' },
    resource: { attributes },
    attributes: { 'perf.event.name': 'cycles' },
    start: 0n,
  };
}

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
  const [machine, jobs] = [{}, { 'linux.cgroup.path': '/jobs' }].map((attributes) =>
    events.counterOf(createCycles(attributes)),
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

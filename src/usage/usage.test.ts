import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutUsage, type Usage } from './usage.js';
import { byFrequency } from './weighing.js';
import { Workload } from './workload.js';

test('cutUsage also cuts counts of several workloads together', () => {
  const workloads = [0, 5].map(
    (bornAt) => new Workload({ attributes: { 'process.pid': bornAt } }, bornAt, { groups: [] }),
  );
  const weighing = { weight: byFrequency, whole: 100, parts: [10, 90], byTime: 100 } as const;
  const times = { cpuNs: [10, 10], lifeNs: [10, 10] };
  const usage: Usage = { firstTo: 10, to: 10, busyNs: 20, isGap: false, workloads, ...times, weighing };
  assert.deepEqual(cutUsage(usage, 5).weighing, { weight: byFrequency, whole: 10, parts: [10], byTime: 10 });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { processCpuTime } from '../model/usage-metrics.js';
import { Workload } from './workload.js';

function createWorkload(bornAt: number): Workload {
  return new Workload({ attributes: { 'process.pid': 1 } }, bornAt, { groups: [] });
}

function createSeries({ resource }: Workload, mode: string): Series {
  return { metric: processCpuTime, resource, attributes: { 'cpu.mode': mode }, start: 0n };
}

/** A row of one counter at an instant. */
function read(workload: Workload, series: Series, at: number, seconds: number): void {
  workload.findCpuTime(series)?.read(seconds);
  workload.finishRow(at);
}

test('Workload uses nothing before the last reading without use, when it first uses something', () => {
  const workload = createWorkload(0);
  const series = createSeries(workload, 'user');
  workload.addCpuTime(series);
  read(workload, series, 10, 0);
  assert.equal(workload.cut(0, 10), 0);
  read(workload, series, 20, 1e-6);
  assert.equal(workload.cut(10, 15), 500);
  assert.equal(workload.cut(15, 20), 500);
});

test('Workload uses CPU time evenly since its start, when its first reading shows some', () => {
  const workload = createWorkload(10);
  const series = createSeries(workload, 'user');
  workload.addCpuTime(series);
  read(workload, series, 20, 1e-6);
  assert.equal(workload.cut(0, 15), 500);
});

test('Workload uses nothing in the time before its counters were reset', () => {
  const workload = createWorkload(0);
  const series = createSeries(workload, 'user');
  workload.addCpuTime(series);
  workload.resume(10);
  read(workload, series, 20, 1e-6);
  assert.equal(workload.cut(0, 10), 0);
  assert.equal(workload.cut(10, 15), 500);
});

test('Workload finds its counters by their series until they are removed, in any order', () => {
  const modes = ['user', 'system', 'other'];
  for (const removed of modes) {
    const workload = createWorkload(0);
    const all = modes.map((mode) => createSeries(workload, mode));
    const counters = all.map((series) => workload.addCpuTime(series));
    assert.deepEqual([workload.counters, all.map((one) => workload.findCpuTime(one))], [3, counters]);
    const gone = all.find(({ attributes }) => attributes['cpu.mode'] === removed);
    assert.ok(gone);
    assert.deepEqual([workload.removeCpuTime(gone), workload.removeCpuTime(gone)], [true, false]);
    assert.deepEqual(
      all.filter((one) => workload.findCpuTime(one)),
      all.filter((one) => one !== gone),
    );
  }
});

test('Workload lives until it ends, and again after it is revived', () => {
  const workload = createWorkload(10);
  assert.equal(workload.countLifeNs(0, 30), 20);
  workload.endedAt = 20;
  assert.equal(workload.countLifeNs(0, 30), 10);
  workload.revive();
  assert.equal(workload.countLifeNs(0, 30), 20);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { until } from '../../testing/until.js';
import { ProcessStat } from '../process-stat.js';
import { decode, skip, types, type Task } from './real-kernel.fixture.js';
import { TaskDeaths } from './task-deaths.js';

async function collectDeaths(
  deaths: TaskDeaths,
  isComplete: (dead: readonly Task[]) => boolean,
): Promise<readonly Task[]> {
  const dead: Task[] = [];
  await until(() => {
    deaths.drain((words, at) => dead.push(decode(words, at)));
    return isComplete(dead);
  });
  return dead;
}

test('TaskDeaths accounts for what short processes used, as rusage does', { skip }, async () => {
  assert.ok(types);
  const deaths = await TaskDeaths.open(types);
  try {
    // The shell of 200 children says what they used: user and system time of its ended children, in its second line.
    const loop = 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done; exec cat /proc/$$/stat';
    const shell = spawnSync('sh', ['-c', loop], { encoding: 'utf8' });
    const isChild = ({ parent, name }: Task): boolean => parent === shell.pid && name === 'true';
    const dead = await collectDeaths(deaths, (all) => all.filter(isChild).length >= 200);
    assert.equal(deaths.lost, 0);
    const children = dead.filter(isChild);
    assert.equal(children.length, 200);
    assert.ok(children.every(({ runtimeNs, startNs }) => runtimeNs > 0 && startNs > 0));
    // rusage leaves out the last slice, which is what makes this exact: it may be more, by a tenth at most.
    const output = Buffer.from(shell.stdout);
    const stat = new ProcessStat();
    assert.ok(stat.parse(output, output.length));
    const rusageNs = (stat.childUserTicks + stat.childSystemTicks) * 1e7;
    const usedNs = children.reduce((sum, { runtimeNs }) => sum + runtimeNs, 0);
    const ticksNs = 2 * 1e7;
    assert.ok(
      usedNs >= rusageNs - ticksNs && usedNs <= rusageNs * 1.15 + ticksNs,
      `${usedNs} of ${rusageNs}`,
    );
  } finally {
    deaths.close();
    deaths.close();
  }
});

test('TaskDeaths counts what found no room', { skip }, async () => {
  assert.ok(types);
  const deaths = await TaskDeaths.open(types, 4096);
  try {
    spawnSync('sh', ['-c', 'i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done']);
    await until(() => deaths.lost > 0);
    let kept = 0;
    deaths.drain(() => (kept += 1));
    // 4096 bytes hold 39 records of 96 bytes with a header of 8.
    assert.equal(kept, 39);
    // There is room again.
    const { pid } = spawnSync('true');
    const dead = await collectDeaths(deaths, (all) => all.some(({ tgid }) => tgid === pid));
    assert.ok(dead.length > 0);
  } finally {
    deaths.close();
  }
});

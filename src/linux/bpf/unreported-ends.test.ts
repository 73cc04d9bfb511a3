import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { until } from '../../testing/until.js';
import { CpuPackages } from '../cpu-packages.js';
import { createPackageSysfs } from '../two-packages.fixture.js';
import { Migrations } from './migrations.js';
import { listOpenMaps } from './open-maps.fixture.js';
import { addPackageTimes } from './package-record.js';
import { decode, skip as cannotTrace, types } from './real-kernel.fixture.js';
import { TaskIterator } from './task-iterator.js';

// On the real kernel, with the first CPU as one package and the second as another. Nothing reports ends here, as if the
// kernel had run no program at any of them.
const canPin = spawnSync('taskset', ['-c', '1', 'true']).status === 0;
const skip = cannotTrace || (!canPin && 'needs taskset and two CPUs');
const births = 300;

async function open(t: TestContext) {
  const packages = CpuPackages.find(createPackageSysfs([0, 1]));
  assert.ok(types && packages);
  const migrations = await Migrations.open(types, packages);
  t.after(() => migrations.close());
  const tasks = await TaskIterator.open(types, migrations.maps);
  t.after(() => tasks.close());
  return { migrations, tasks };
}

/** Starts processes at the same time, and resolves when all have executed `sleep`. @returns what ends them */
async function startSleepers(t: TestContext, prefix: string, seconds: string) {
  const loop = `i=0; while [ $i -lt ${births} ]; do ${prefix} sleep ${seconds} & i=$((i+1)); done; wait`;
  const shell = spawn('sh', ['-c', loop], { detached: true, stdio: 'ignore' });
  const exited = once(shell, 'exit');
  let isOver = false;
  const end = async () => {
    if (!isOver) process.kill(-(shell.pid ?? 0), 'SIGKILL');
    isOver = true;
    await exited;
  };
  t.after(end);
  await until(() => {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-g', String(shell.pid)], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line === `sleep ${seconds}`).length === births;
  });
  return { end, parent: shell.pid };
}

const countEntries = () => listOpenMaps('self').reduce((sum, { entries = 0 }) => sum + entries, 0);

/** The time of each child of a process: its own, and the sum over the packages, in nanoseconds. */
function readChildren(tasks: TaskIterator, parent: number | undefined) {
  const { recordWords } = tasks;
  const count = tasks.read();
  const found: { runtimeNs: number; packageNs: number }[] = [];
  for (let at = 0; at < count * recordWords; at += recordWords) {
    const task = decode(tasks.words, at);
    if (task.parent !== parent) continue;
    const sums = new Float64Array(2);
    addPackageTimes({ words: tasks.words, at, count: 2 }, sums, [0, 0]);
    found.push({ runtimeNs: task.runtimeNs, packageNs: (sums[0] ?? NaN) + (sums[1] ?? NaN) });
  }
  return found;
}

test('Migrations forgets threads whose end was not reported, but no living ones', { skip }, async (t) => {
  const { migrations, tasks } = await open(t);
  const living = await startSleepers(t, 'taskset -c 0 taskset -c 1', '601');
  const { end } = await startSleepers(t, 'taskset -c 0 taskset -c 1', '602');
  const most = countEntries();
  assert.ok(most >= 2 * births, `${most}`);
  await end();
  assert.ok(countEntries() >= most - births / 2);
  let second = 1e6;
  await until(() => {
    migrations.update((second += 31));
    tasks.read();
    migrations.forgetUnseen();
    return countEntries() <= most - births / 2;
  });
  assert.ok(countEntries() >= births, `${countEntries()}`);
  assert.equal(readChildren(tasks, living.parent).length, births);
});

test('Migrations charges a thread nothing of an earlier one at its address', { skip }, async (t) => {
  const { tasks } = await open(t);
  for (let round = 0; round < 3; round++) {
    const { end } = await startSleepers(t, 'taskset -c 0 taskset -c 1', '603');
    await end();
  }
  const { parent } = await startSleepers(t, 'taskset -c 0', '604');
  const children = readChildren(tasks, parent);
  assert.equal(children.length, births);
  for (const { runtimeNs, packageNs } of children) assert.equal(packageNs, runtimeNs);
});

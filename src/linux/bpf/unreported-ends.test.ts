import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { readHeapBytes } from '../../testing/allocation.fixture.js';
import { until } from '../../testing/until.js';
import { CpuPackages } from '../cpu-packages.js';
import { libc, pageSize } from '../libc.js';
import { createPackageSysfs } from '../two-packages.fixture.js';
import { startTogether } from './births.fixture.js';
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
  const { parent, end } = startTogether(t, births, `${prefix} sleep ${seconds}`);
  await until(() => {
    const { stdout } = spawnSync('ps', ['-o', 'args=', '-g', String(parent)], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line === `sleep ${seconds}`).length === births;
  });
  return { end, parent };
}

const countMapped = () =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('bpf-map')).length;

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

const prlimit = libc.func('int prlimit(int pid, int resource, void *limit, void *old)') as (
  pid: number,
  resource: number,
  limit: BigUint64Array | null,
  old: BigUint64Array | null,
) => number;
/** RLIMIT_AS of include/uapi/asm-generic/resource.h. */
const addressSpace = 9;

/** More than what the heap grows or shrinks by while a map is opened. */
const marginBytes = 2 << 20;

test('Migrations leaves no mapping behind if its second one is refused', { skip }, async () => {
  assert.ok(types);
  // Its map of CPUs, of four bytes each, is larger than the rest of the address space.
  const byCpu = new Uint8Array((2 * marginBytes) / 4);
  const packages = { byCpu, numbers: [0, 1] } as unknown as CpuPackages; // all that it reads
  const before = countMapped();
  const limit = new BigUint64Array(2);
  assert.equal(prlimit(0, addressSpace, null, limit), 0);
  readHeapBytes(); // collects garbage now, since the heap can hardly grow below the limit
  const used = Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]) * pageSize;
  const low = BigUint64Array.of(BigInt(used + marginBytes), limit[1] ?? 0n);
  const isSet = prlimit(0, addressSpace, low, null) === 0;
  const opening = Migrations.open(types, packages);
  prlimit(0, addressSpace, limit, null);
  await assert.rejects(opening, /Cannot map 4194304 bytes of a BPF map: ENOMEM/u);
  assert.ok(isSet);
  assert.equal(countMapped(), before);
});

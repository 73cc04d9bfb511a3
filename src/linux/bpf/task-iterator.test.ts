import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { until } from '../../testing/until.js';
import { burnCpuMs } from '../burn-cpu.fixture.js';
import { enterCgroup, makeCgroup } from '../cgroup/real-cgroups.fixture.js';
import { ProcessStat } from '../process-stat.js';
import { BpfError } from './bpf.js';
import { decode, skip, types, url, type Task } from './real-kernel.fixture.js';
import { TaskIterator } from './task-iterator.js';
import { TaskLoop } from './task-loop.js';
import { kernelThreadFlag, taskField, taskRecordWords } from './task-record.js';

const fastest = types && (await TaskIterator.open(types));
const iterator = types && (await TaskIterator.openIterator(types));
after(() => [fastest, iterator].forEach((each) => each?.close()));
/** If the kernel has a loop, that is the fastest way. */
const sources = { 'the fastest way': fastest, 'an iterator': iterator };

function toNs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) * 1000;
}

function list(): Set<number> {
  const names = readdirSync('/proc').map(Number);
  return new Set(names.filter((pid) => pid > 0));
}

/** The CPU time of this process' ended threads. */
function used(source: TaskIterator | undefined): number {
  return readTasks(source).find(({ tid }) => tid === process.pid)?.endedThreadsNs ?? 0;
}

function readTasks(source: TaskIterator | undefined): readonly Task[] {
  assert.ok(source);
  const count = source.read();
  return Array.from({ length: count }, (_, row) => decode(source.words, row * taskRecordWords));
}

for (const [way, source] of Object.entries(sources)) {
  test(`TaskIterator reads this process in agreement with procfs and getrusage, by ${way}`, { skip }, () => {
    burnCpuMs(20);
    const before = process.cpuUsage();
    const own = readTasks(source).filter(({ tgid }) => tgid === process.pid);
    const later = process.cpuUsage();
    const leader = own.find(({ tid }) => tid === process.pid);
    assert.ok(leader);
    const stat = new ProcessStat();
    assert.ok(stat.read('/proc/self'));
    assert.equal(leader.name, readFileSync('/proc/self/comm', 'utf8').trimEnd());
    assert.equal(leader.parent, stat.parentPid);
    assert.equal(Math.floor(leader.startNs / 1e7), stat.startTicks);
    assert.equal(leader.user, process.getuid?.());
    assert.equal(leader.localTgid, process.pid);
    assert.deepEqual(
      own.map(({ tid }) => tid),
      readdirSync('/proc/self/task').map(Number),
    );
    const usedNs = own.reduce((sum, { runtimeNs }) => sum + runtimeNs, leader.endedThreadsNs);
    // The reading lags behind by up to a tick for other CPUs; getrusage never does.
    const tickNs = 10_000_000;
    assert.ok(
      usedNs >= toNs(before) - tickNs && usedNs <= toNs(later) + tickNs,
      `${usedNs} of ${toNs(later)}`,
    );
  });

  test(`TaskIterator reads every process and marks kernel threads, by ${way}`, { skip }, () => {
    const before = list();
    const tasks = readTasks(source);
    const later = list();
    const processes = new Set(tasks.map(({ localTgid }) => localTgid));
    // Some virtual machines hide their first process from iterators.
    before.delete(1);
    for (const pid of before) assert.ok(processes.has(pid) || !later.has(pid), `process ${pid} is missing`);
    const kthreadd = tasks.find(({ name, parent }) => name === 'kthreadd' && parent === 0);
    if (kthreadd !== undefined) assert.notEqual(kthreadd.flags & kernelThreadFlag, 0);
    assert.equal((tasks.find(({ tid }) => tid === process.pid)?.flags ?? 0) & kernelThreadFlag, 0);
  });

  test(`TaskIterator keeps the CPU time of ended threads, by ${way}`, { skip }, async () => {
    const before = used(source);
    const worker = new Worker(
      `for (const end = process.cpuUsage().user + 50_000; process.cpuUsage().user < end; );`,
      {
        eval: true,
      },
    );
    await once(worker, 'exit');
    await until(() => used(source) - before >= 40e6);
  });

  test(`TaskIterator reads the cgroups of a process, of both versions, by ${way}`, { skip }, async (t) => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    await once(child, 'spawn');
    const { pid = 0 } = child;
    const read = (): Task | undefined => readTasks(source).find(({ tgid }) => tgid === pid);
    const [first, unified] = [makeCgroup(t, 'cpuacct'), makeCgroup(t, 2)];
    if (typeof first === 'string' && typeof unified === 'string') return t.skip(`${first}; ${unified}`);
    if (typeof unified !== 'string') {
      enterCgroup(unified.folder, pid);
      assert.equal(read()?.cgroup, statSync(unified.folder).ino);
    }
    if (typeof first !== 'string') {
      // Deeper than the cgroup of this test.
      const deep = join(first.folder, 'a/b/c/d/e');
      mkdirSync(deep, { recursive: true });
      enterCgroup(deep, pid);
      assert.equal(read()?.cgroupV1, statSync(deep).ino);
      if (typeof unified !== 'string') assert.equal(read()?.cgroup, statSync(unified.folder).ino);
    }
  });
}

/** Why there is no loop, if the kernel is older than Linux 6.7. */
async function findObstacle(): Promise<string | false> {
  if (types === undefined) return skip;
  try {
    (await TaskLoop.open(types)).close();
    return false;
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOSYS') return error.message;
    throw error;
  }
}

const lacksLoop = await findObstacle();

test('TaskLoop reads the same tasks as an iterator', { skip: lacksLoop }, async (t) => {
  assert.ok(types && iterator);
  const loop = await TaskLoop.open(types);
  t.after(() => loop.close());
  const children = Array.from({ length: 3 }, () => spawn('sleep', ['600'], { stdio: 'ignore' }));
  t.after(() => children.forEach((child) => child.kill('SIGKILL')));
  await Promise.all(children.map((child) => once(child, 'spawn')));
  const pids = children.map(({ pid }) => pid ?? 0);
  const sleeping = new Set(pids);
  const readBoth = (): readonly (readonly (readonly number[])[])[] =>
    [loop, iterator].map((each) => {
      const length = each === loop ? each.read() : each.read() * taskRecordWords;
      return readWords(each.words.subarray(0, length)).filter(([tgid = 0]) => sleeping.has(tgid));
    });
  // Until all of them sleep.
  await until(() => pids.every((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') S ')));
  const [own, theirs] = readBoth();
  assert.deepEqual(own, theirs);
  assert.equal(own?.length, pids.length);
});

test('TaskLoop reads all tasks when its initial room was too small', { skip: lacksLoop }, async (t) => {
  assert.ok(types);
  const loop = await TaskLoop.open(types, undefined, 2);
  t.after(() => loop.close());
  const before = list();
  const length = loop.read();
  const tasks = readWords(loop.words.subarray(0, length));
  const later = list();
  assert.ok(tasks.length > 2);
  const processes = new Set(tasks.map((task) => task[taskField.localTgid]));
  before.delete(1);
  for (const pid of before) assert.ok(processes.has(pid) || !later.has(pid), `process ${pid} is missing`);
  loop.close();
  loop.close();
  assert.equal(loop.words.length, 0);
});

function readWords(words: Uint32Array): readonly (readonly number[])[] {
  return Array.from({ length: words.length / taskRecordWords }, (_, row) => [
    ...words.subarray(row * taskRecordWords, (row + 1) * taskRecordWords),
  ]);
}

test('TaskIterator identifies processes by the ids of its own pid namespace', { skip }, () => {
  const script = `
    import { KernelTypes } from ${url('kernel-types.js')};
    import { TaskIterator } from ${url('task-iterator.js')};
    import { taskField, taskRecordWords } from ${url('task-record.js')};
    const iterator = await TaskIterator.open(await KernelTypes.load());
    const count = iterator.read();
    const seen = new Set();
    for (let row = 0; row < count; row++) seen.add(iterator.words[row * taskRecordWords + taskField.localTgid]);
    console.log(process.pid, [...seen].join());
  `;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const flags = ['--fork', '--pid', '--mount-proc', '--kill-child'];
  const { stdout, stderr } = spawnSync('unshare', [...flags, ...node], { encoding: 'utf8' });
  assert.equal(stdout, '1 1\n', stderr);
});

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { burnCpuMs } from '../burn-cpu.fixture.js';
import { ProcessStat } from '../process-stat.js';
import { BpfError } from './bpf.js';
import { KernelTypes } from './kernel-types.js';
import { TaskDeaths } from './task-deaths.js';
import { TaskIterator } from './task-iterator.js';
import { TaskLoop } from './task-loop.js';
import { kernelThreadFlag, taskField, taskRecordWords } from './task-record.js';

// On the real kernel. What it lacks is skipped; as root in the gate nothing is.
const mustBeTested = process.env['JOULEMETRY_TEST_ROOT'] === 'required';
const types = await KernelTypes.load().catch((error: unknown) => skipOrThrow(error));
const fastest = types && (await TaskIterator.open(types).catch((error: unknown) => skipOrThrow(error)));
const iterator = types && fastest && (await TaskIterator.openIterator(types));
after(() => [fastest, iterator].forEach((each) => each?.close()));
/** Where the kernel has a loop, that one is the fastest. */
const sources = { 'the fastest way': fastest, 'an iterator': iterator };
const skip = fastest === undefined && 'needs root, or CAP_BPF and CAP_PERFMON, and a kernel with BTF';

function skipOrThrow(error: unknown): undefined {
  if (mustBeTested) throw error;
  return undefined;
}

interface Task {
  readonly tgid: number;
  readonly tid: number;
  readonly name: string;
  readonly runtimeNs: number;
  readonly startNs: number;
  readonly endedThreadsNs: number;
  readonly cgroup: number;
  readonly cgroupV1: number;
  readonly parent: number;
  readonly user: number;
  readonly flags: number;
  readonly localTgid: number;
}

function decode(words: Uint32Array, at: number): Task {
  const word = (field: number): number => words[at + field];
  const time = (field: number): number => word(field) * 1e9 + word(field + 1);
  const name = Buffer.from(words.slice(at + taskField.name, at + taskField.name + 4).buffer);
  return {
    tgid: word(taskField.tgid),
    tid: word(taskField.tid),
    name: name.toString('utf8', 0, name.indexOf(0)),
    runtimeNs: time(taskField.runtime),
    startNs: time(taskField.start),
    endedThreadsNs: time(taskField.endedThreadsRuntime),
    cgroup: word(taskField.cgroup) + word(taskField.cgroup + 1) * 2 ** 32,
    cgroupV1: word(taskField.cgroupV1) + word(taskField.cgroupV1 + 1) * 2 ** 32,
    parent: word(taskField.parent),
    user: word(taskField.user),
    flags: word(taskField.flags),
    localTgid: word(taskField.localTgid),
  };
}

function toNs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) * 1000;
}

function list(): Set<number> {
  const names = readdirSync('/proc').map(Number);
  return new Set(names.filter((pid) => pid > 0));
}

/** The CPU time of this process' threads that have ended. */
function used(source: TaskIterator | undefined): number {
  return readTasks(source).find(({ tid }) => tid === process.pid)?.endedThreadsNs ?? 0;
}

/** A module of this folder, for a script. */
function url(name: string): string {
  return JSON.stringify(new URL(name, import.meta.url).href);
}

function readTasks(source: TaskIterator | undefined): readonly Task[] {
  assert.ok(source);
  const count = source.read();
  return Array.from({ length: count }, (_, row) => decode(source.words, row * taskRecordWords));
}

async function collectDeaths(
  deaths: TaskDeaths,
  isComplete: (dead: readonly Task[]) => boolean,
): Promise<readonly Task[]> {
  const dead: Task[] = [];
  for (;;) {
    deaths.drain((words, at) => dead.push(decode(words, at)));
    if (isComplete(dead)) return dead;
    await setTimeout(5);
  }
}

for (const [way, source] of Object.entries(sources)) {
  test(`TaskIterator reads this process as procfs and getrusage do, by ${way}`, { skip }, () => {
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
    // Both lag behind by up to a tick: the reading for other CPUs, getrusage never.
    const tickNs = 10_000_000;
    assert.ok(
      usedNs >= toNs(before) - tickNs && usedNs <= toNs(later) + tickNs,
      `${usedNs} of ${toNs(later)}`,
    );
  });

  test(`TaskIterator reads every process and marks the threads of the kernel, by ${way}`, { skip }, () => {
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

  test(`TaskIterator keeps the CPU time of threads that have ended, by ${way}`, { skip }, async () => {
    const before = used(source);
    const worker = new Worker(
      `for (const end = process.cpuUsage().user + 50_000; process.cpuUsage().user < end; );`,
      {
        eval: true,
      },
    );
    await once(worker, 'exit');
    while (used(source) - before < 40e6) await setTimeout(5);
  });

  test(
    `TaskIterator reads the cgroup of a process, the unified one first, by ${way}`,
    { skip },
    async (t) => {
      const unified = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((root) =>
        existsSync(`${root}/cgroup.procs`),
      );
      const v1 = ['/sys/fs/cgroup/cpuacct'].find((root) => existsSync(root));
      if (unified === undefined && v1 === undefined)
        return t.skip('no cgroup is mounted where it usually is');
      const folder = `jm-${process.pid}`;
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      const read = (): Task | undefined => readTasks(source).find(({ tgid }) => tgid === child.pid);
      const move = (to: string): number => {
        mkdirSync(to, { recursive: true });
        writeFileSync(`${to}/cgroup.procs`, String(child.pid));
        return statSync(to).ino;
      };
      try {
        if (v1 !== undefined) {
          // Deeper than what this test itself is in.
          const inode = move(`${v1}/${folder}/a/b/c/d/e`);
          assert.equal(read()?.cgroupV1, inode);
        }
        if (unified !== undefined) {
          const inode = move(`${unified}/${folder}`);
          assert.deepEqual([read()?.cgroup, read()?.cgroupV1], [inode, 0]);
        }
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
        for (const path of ['/a/b/c/d/e', '/a/b/c/d', '/a/b/c', '/a/b', '/a', '']) {
          for (const root of [v1, unified]) {
            if (existsSync(`${root}/${folder}${path}`)) await removeWhenEmpty(`${root}/${folder}${path}`);
          }
        }
      }
    },
  );
}

async function removeWhenEmpty(folder: string): Promise<void> {
  for (;;) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if (!String(error).includes('EBUSY')) throw error;
      await setTimeout(5);
    }
  }
}

/** Why there is no loop, where that is a kernel before Linux 6.7. */
async function findObstacle(): Promise<string | false> {
  if (types === undefined || fastest === undefined) return skip;
  try {
    (await TaskLoop.open(types)).close();
    return false;
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOSYS') return error.message;
    throw error;
  }
}

const lacksLoop = await findObstacle();

test('TaskLoop reads every task as an iterator does', { skip: lacksLoop }, async (t) => {
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
  while (pids.some((pid) => !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') S '))) await setTimeout(5);
  const [own, theirs] = readBoth();
  assert.deepEqual(own, theirs);
  assert.equal(own?.length, pids.length);
});

test('TaskLoop reads all tasks where it had too little room for them', { skip: lacksLoop }, async (t) => {
  assert.ok(types);
  const loop = await TaskLoop.open(types, 2);
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

test('TaskIterator knows processes by the numbers of its own pid namespace', { skip }, () => {
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
    while (deaths.lost === 0) await setTimeout(5);
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

test('Without rights, the error names those that are missing', { skip }, () => {
  const script = `
    import { KernelTypes } from ${url('kernel-types.js')};
    import { TaskIterator } from ${url('task-iterator.js')};
    await TaskIterator.open(await KernelTypes.load()).catch(({ message, code }) => console.log(code, message));
  `;
  const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
  const node = [process.execPath, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('setpriv', [...drop, ...node], { encoding: 'utf8' });
  const expected = 'EPERM Cannot load BPF program "joule_tasks": EPERM, needs CAP_BPF and CAP_PERFMON\n';
  assert.equal(stdout, expected, stderr);
});

test('A program that the verifier refuses fails with the end of its log', { skip }, async () => {
  const { loadProgram } = await import('./bpf.js');
  const { Assembler } = await import('./assembler.js');
  assert.ok(types);
  const attachTo = types.findId('bpf_iter_task', 'function');
  const code = new Assembler().load(0, 10, 0).return();
  await assert.rejects(
    loadProgram({ name: 'wrong', kind: 'iterator', attachTo, code }),
    /^BpfError: Cannot load BPF program "wrong": EACCES; verifier: .*invalid read from stack/s,
  );
});

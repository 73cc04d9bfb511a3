import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { after, test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { until } from '../../testing/until.js';
import { burnCpuMs } from '../burn-cpu.fixture.js';
import { enterCgroup, makeCgroup } from '../cgroup/real-cgroups.fixture.js';
import { pageSize } from '../libc.js';
import { ProcessStat } from '../process-stat.js';
import { BpfError } from './bpf.js';
import { decodeDetails, detail, detailCount } from './process-details.js';
import { ProcessLoop, type LoopOptions } from './process-loop.js';
import { processRecordWords, runField, runWords } from './process-loop-layout.js';
import { decode, skip, types, type Task } from './real-kernel.fixture.js';
import { taskField, taskRecordWords } from './task-record.js';

/** Undefined if the kernel is older than Linux 6.7. */
async function openLoop(options?: LoopOptions): Promise<ProcessLoop | undefined> {
  if (types === undefined) return undefined;
  try {
    return await ProcessLoop.open(types, options);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOSYS') return undefined;
    throw error;
  }
}

// With this much room, it is unlikely that three processes share a slot and have a record in each pass.
const loop = await openLoop({ room: 1 << 15 });
after(() => loop?.close());
const lacksLoop = loop === undefined && (skip || 'the kernel is older than Linux 6.7');

interface Found {
  readonly tgids: readonly number[];
  /** CPU nanoseconds of the processes that have run, by id. */
  readonly runs: ReadonlyMap<number, number>;
  readonly records: ReadonlyMap<number, Task>;
}

function read(from = loop): Found {
  assert.ok(from);
  from.read();
  const tgids = [...from.tgids.subarray(0, from.count)];
  const runs = new Map<number, number>();
  for (let at = 0; at < from.runCount * runWords; at += runWords) {
    const [seconds, nanoseconds] = [from.runs[at + runField.seconds], from.runs[at + runField.nanoseconds]];
    runs.set(tgids[from.runs[at + runField.place]], seconds * 1e9 + nanoseconds);
  }
  const records = new Map<number, Task>();
  for (let at = 0; at < from.recordLength; at += processRecordWords) {
    const record = decode(from.records, at);
    assert.equal(tgids[from.records[at + taskField.place]], record.tgid);
    records.set(record.tgid, record);
  }
  return { tgids, runs, records };
}

function toNs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) * 1000;
}

/** Ignores passes in which every process has a record anyway. */
function readUntil(isWanted: (found: Found) => boolean): Promise<void> {
  return until(() => isWanted(read()));
}

async function startSleeper(t: TestContext, script = 'exec sleep 600'): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  return child;
}

async function untilAsleep({ pid = 0 }: ChildProcess, name: string): Promise<void> {
  await until(() => readFileSync(`/proc/${pid}/stat`, 'utf8').includes(`(${name}) S `));
}

test('ProcessLoop lists a sleeping process by its id only', { skip: lacksLoop }, async (t) => {
  const child = await startSleeper(t);
  const { pid = 0 } = child;
  await untilAsleep(child, 'sleep');
  // The first pass can be the one that finds a new process, and one in 64 has a record of every process.
  await readUntil(({ runs, records }) => !runs.has(pid) && !records.has(pid));
  assert.ok(read().tgids.includes(pid));
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(!read().tgids.includes(pid));
});

test(
  'ProcessLoop has the CPU time of all threads of a process that has run',
  { skip: lacksLoop },
  async () => {
    read();
    burnCpuMs(20);
    const worker = new Worker('for (const end = Date.now() + 50; Date.now() < end; );', { eval: true });
    await once(worker, 'exit');
    const beforeNs = toNs(process.cpuUsage());
    const { runs, records } = read();
    const laterNs = toNs(process.cpuUsage());
    const record = records.get(process.pid);
    const usedNs = runs.get(process.pid) ?? record?.runtimeNs ?? NaN;
    // It can lag behind by a tick.
    const tickNs = 10_000_000;
    assert.ok(usedNs >= beforeNs - 2 * tickNs && usedNs <= laterNs + tickNs, `${usedNs} of ${laterNs}`);
    if (record !== undefined) assert.equal(record.endedThreadsNs, 0);
  },
);

test(
  'ProcessLoop has a record of a sleeping process when its cgroup changes',
  { skip: lacksLoop },
  async (t) => {
    const child = await startSleeper(t);
    const { pid = 0 } = child;
    await untilAsleep(child, 'sleep');
    for (const version of [2, 'cpuacct'] as const) {
      const cgroup = makeCgroup(t, version);
      if (typeof cgroup === 'string') continue;
      await readUntil(({ records }) => !records.has(pid));
      enterCgroup(cgroup.folder, pid);
      const record = read().records.get(pid);
      const inode = statSync(cgroup.folder).ino;
      assert.equal(version === 2 ? record?.cgroup : record?.cgroupV1, inode);
      enterCgroup(`${cgroup.folder}/..`, pid);
      return;
    }
    t.skip('no cgroups can be made');
  },
);

test(
  'ProcessLoop has a record of a process that executes another program',
  { skip: lacksLoop },
  async (t) => {
    const child = await startSleeper(t, 'read line; exec sleep 600');
    const { pid = 0 } = child;
    await untilAsleep(child, 'sh');
    const before = new Map<number, Task>();
    await readUntil(({ records }) => {
      const record = records.get(pid);
      if (record !== undefined) before.set(pid, record);
      return record === undefined;
    });
    child.stdin?.write('\n');
    await untilAsleep(child, 'sleep');
    const record = read().records.get(pid);
    assert.equal(record?.name, 'sleep');
    assert.equal(record?.localTgid, pid);
    assert.equal(record?.startNs, before.get(pid)?.startNs);
  },
);

test(
  'ProcessLoop has a record of every process after forget, and once in 64 passes',
  { skip: lacksLoop },
  async (t) => {
    const child = await startSleeper(t);
    const { pid = 0 } = child;
    await untilAsleep(child, 'sleep');
    await readUntil(({ records }) => !records.has(pid));
    loop?.forget();
    const { tgids, records } = read();
    assert.deepEqual([...records.keys()], tgids);
    const passes = Array.from({ length: 64 }, () => read().records.has(pid));
    assert.ok(passes.includes(true));
  },
);

test(
  'ProcessLoop has a record of a sleeping process as often as requested',
  { skip: lacksLoop },
  async (t) => {
    const often = await openLoop({ room: 1 << 15, refreshEvery: 3 });
    t.after(() => often?.close());
    const child = await startSleeper(t);
    await untilAsleep(child, 'sleep');
    await until(() => !read(often).records.has(child.pid ?? 0));
    const passes = Array.from({ length: 3 }, () => read(often).records.has(child.pid ?? 0));
    assert.deepEqual(passes.filter(Boolean), [true]);
  },
);

/** The details of this process, of its last run or record. */
function readOwnDetails(): Float64Array {
  assert.ok(loop);
  loop.read();
  const own = loop.tgids.indexOf(process.pid);
  const details = new Float64Array(detailCount);
  for (let at = 0; at < loop.runCount * runWords; at += runWords) {
    if (loop.runs[at + runField.place] === own) decodeDetails(loop.runs, at + runField.details, details, 0);
  }
  for (let at = 0; at < loop.recordLength; at += processRecordWords) {
    if (loop.records[at + taskField.place] === own)
      decodeDetails(loop.records, at + taskRecordWords, details, 0);
  }
  return details;
}

test('ProcessLoop has memory, threads and times of this process as procfs has', { skip: lacksLoop }, () => {
  const stat = new ProcessStat();
  for (const isWhole of [false, true]) {
    // Both lists have what this process took last.
    const block = Buffer.alloc(32 * 1024 * 1024, 1);
    burnCpuMs(20);
    if (isWhole) loop?.forget();
    const details = readOwnDetails();
    assert.ok(stat.read('/proc/self'));
    const [resident, virtual] = [details[detail.residentPages], details[detail.virtualPages]];
    assert.ok(Math.abs(resident - stat.residentPages) * pageSize < block.length / 4, `${resident} pages`);
    assert.ok(Math.abs(virtual * pageSize - stat.virtualBytes) < 64 * block.length, `${virtual} pages`);
    assert.equal(details[detail.threads], stat.threads);
    assert.ok(details[detail.userNs] > 0 && details[detail.userNs] < 600e9, `${details[detail.userNs]} ns`);
  }
});

test(
  'ProcessLoop reads all processes when its initial room was too small',
  { skip: lacksLoop },
  async (t) => {
    const small = await openLoop({ room: 2 });
    t.after(() => small?.close());
    const { tgids, records } = read(small);
    assert.ok(tgids.length > 2);
    assert.deepEqual([...records.keys()], tgids);
    assert.ok(tgids.includes(process.pid));
    small?.close();
    small?.close();
    assert.equal(small?.count, 0);
  },
);

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { describeError } from '../../errors.js';
import { skipFor } from '../../testing/needs.fixture.js';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { readChildUsage } from '../children.js';
import { CpuClock, readBootTimeNs } from '../clocks.js';
import { startHeld } from '../held-child.js';
import { openPerfTreeCpuTime } from '../perf/tree-cpu-time.js';
import { EndedTasks, nameUniquely } from './ended-tasks.fixture.js';
import { TreeAccounting, type ProgramUsage } from './tree-accounting.js';

// On the real kernel. Missing features skip tests; as root in the gate none are missing.
const skip = await TreeAccounting.open().then(
  (tree) => {
    tree.close();
    return false;
  },
  (error: unknown) => skipFor(describeError(error)),
);

interface Followed {
  readonly programs: readonly ProgramUsage[];
  readonly treeNs: number;
  /** By getrusage: children that were waited for, without the usage before the release. */
  readonly waitedNs: number;
  /** By a perf event that children inherit. */
  readonly perfNs: number;
  /** Usage before the release. */
  readonly launchNs: number;
  readonly lost: number;
}

const usedByChildren = (): number => {
  const { userNs, systemNs } = readChildUsage();
  return userNs + systemNs;
};

/**
 * Runs a shell script to its end while its tree is followed.
 * @param readEveryMs Infinity: live processes are not read, so that all usage comes from reports of ends
 */
async function follow(t: TestContext, script: string, readEveryMs = 50): Promise<Followed> {
  const tree = await TreeAccounting.open();
  t.after(() => tree.close());
  const sinceNs = readBootTimeNs();
  const child = await startHeld('sh', ['-c', script]);
  // A child or a timer that is left over keeps this process running after a failure.
  t.after(() => child.signal('SIGKILL'));
  const perf = openPerfTreeCpuTime(child.pid);
  t.after(() => perf.close());
  const clock = new CpuClock();
  assert.ok(clock.read(child.pid));
  const launchNs = clock.seconds * 1e9 + clock.nanoseconds;
  const beforeNs = usedByChildren();
  assert.equal(tree.follow(sinceNs), true);
  child.release();
  const timer = readEveryMs < Infinity ? setInterval(() => tree.read(), readEveryMs) : undefined;
  t.after(() => clearInterval(timer));
  assert.equal((await child.ended).exitCode, 0);
  clearInterval(timer);
  tree.read();
  await tree.settle();
  return {
    programs: tree.programs,
    treeNs: tree.totalNs,
    waitedNs: usedByChildren() - beforeNs - launchNs,
    perfNs: perf.readNs(),
    launchNs,
    lost: tree.lost,
  };
}

/** Usage of all processes that ran a program, and how many ended while running it. */
function sumOf(programs: readonly ProgramUsage[], name: string): Pick<ProgramUsage, 'cpuNs' | 'processes'> {
  const found = programs.filter((program) => program.name === name);
  return {
    cpuNs: found.reduce((sum, { cpuNs }) => sum + cpuNs, 0),
    processes: found.reduce((sum, { processes }) => sum + processes, 0),
  };
}

/** The shell has a different name on each system. */
const shell = basename(realpathSync('/bin/sh'));

const count = (loops: number): string => `i=0; while [ $i -lt ${loops} ]; do i=$((i+1)); done`;
const quote = (script: string): string => `'${script.replaceAll("'", String.raw`'\''`)}'`;

/** Launching uses some CPU time before the program starts. */
function isClose(one: number, other: number, toleranceNs = 2e6): boolean {
  return Math.abs(one - other) <= Math.max(one, other) * 0.005 + toleranceNs;
}

function assertClose(one: number, other: number, toleranceNs?: number): void {
  assert.ok(isClose(one, other, toleranceNs), `${one} against ${other}`);
}

test('TreeAccounting counts every one of 100 short children', { skip }, async (t) => {
  const [sh, seq] = [nameUniquely('/bin/sh'), nameUniquely('/usr/bin/seq', '-seq')];
  const ended = await EndedTasks.open(sh);
  t.after(() => ended.close());
  const child = `${sh} -c ${quote(count(20_000))}; ${seq} 1000000 > /dev/null`;
  const loop = `n=0; while [ $n -lt 50 ]; do ${child}; n=$((n+1)); done`;
  const followed = await follow(t, `exec ${sh} -c ${quote(loop)}`, Infinity);
  const { programs, treeNs, waitedNs, perfNs, launchNs, lost } = followed;
  assert.equal(lost, 0);
  const [named, namedSeq] = [sh, seq].map((path) => sumOf(programs, basename(realpathSync(path))));
  assert.deepEqual([named?.processes, namedSeq?.processes], [51, 50]);
  const message = `${treeNs} of ${ended.cpuNs} of ${ended.count}, ${launchNs} before; ${waitedNs} by getrusage, ${perfNs} by perf`;
  // Each end that is not counted costs more than that.
  const toleranceNs = (ended.cpuNs / ended.count) * 0.3;
  assert.ok(Math.abs(treeNs + launchNs - ended.cpuNs) < toleranceNs, message);
  // The event includes time taken by interrupts and the hypervisor.
  assert.ok(perfNs > treeNs * 0.98 - 2e6 && treeNs < waitedNs * 1.005 + 2e6, message);
  // If an end was not reported, all of its usage is missing.
  if (ended.count === 101) assert.ok(isClose(treeNs, waitedNs), message);
});

test('TreeAccounting follows a daemon whose parents have ended', { skip }, async (t) => {
  const done = join(createFolder(), 'done');
  // A copy, whose name differs from the shell's: forks of the shell have that until they execute `sleep`.
  const sh = join(createFolder(), 'sh');
  copyFileSync('/bin/sh', sh);
  const daemon = `${count(400_000)}; : > ${done}`;
  // A double fork: the parents of the last process have ended, and are waited for by none of the tree.
  const script = `(setsid ${sh} -c ${quote(`${sh} -c ${quote(daemon)} &`)} &); while [ ! -e ${done} ]; do sleep 0.02; done`;
  const { programs, treeNs, waitedNs } = await follow(t, script);
  assert.ok(existsSync(done));
  const daemonNs = sumOf(programs, 'sh').cpuNs;
  assert.ok(daemonNs > 50e6, `${daemonNs}`);
  assertClose(treeNs - daemonNs - sumOf(programs, 'setsid').cpuNs, waitedNs, 10e6);
});

test(
  'TreeAccounting counts all threads, and continues when a program executes another one',
  { skip },
  async (t) => {
    const thread = 'const end = process.cpuUsage(); for (let i = 0; i < 2e8; i++);';
    const script = `const { Worker } = require('worker_threads'); for (let i = 0; i < 2; i++) new Worker(${JSON.stringify(thread)}, { eval: true });`;
    const { programs, treeNs, waitedNs } = await follow(
      t,
      `${count(200_000)}; exec ${process.execPath} -e ${quote(script)}`,
    );
    assertClose(treeNs, waitedNs, 5e6);
    const [command, node] = programs;
    assert.deepEqual([command?.name, command?.processes], [shell, 0]);
    assert.deepEqual([node?.name, node?.processes], [basename(process.execPath), 1]);
    assert.ok((command?.cpuNs ?? 0) > 20e6 && (node?.cpuNs ?? 0) > 100e6, JSON.stringify(programs));
    assert.equal(programs.length, 2);
  },
);

test('TreeAccounting leaves out other children of this process', { skip }, async (t) => {
  const other: ChildProcess = spawn('sh', ['-c', 'while :; do :; done']);
  t.after(() => other.kill('SIGKILL'));
  await once(other, 'spawn');
  const { programs, treeNs, waitedNs, launchNs } = await follow(t, 'exec sleep 0.3');
  assert.deepEqual(
    programs.map(({ name, processes }) => [name, processes]),
    [
      [shell, 0],
      ['sleep', 1],
    ],
  );
  // The other child has not ended. From the release until the program starts, about as much is used as before.
  assertClose(treeNs, waitedNs, 5e6 + 2 * launchNs);
});

test('TreeAccounting follows successive commands', { skip }, async (t) => {
  const tree = await TreeAccounting.open();
  t.after(() => tree.close());
  for (const name of ['true', 'sleep']) {
    const sinceNs = readBootTimeNs();
    const child = await startHeld(name, ['0']);
    t.after(() => child.signal('SIGKILL'));
    assert.equal(tree.follow(sinceNs), true);
    assert.equal(tree.totalNs, 0);
    child.release();
    await child.ended;
    tree.read();
    await tree.settle();
    assert.deepEqual(
      tree.programs.map((program) => [program.name, program.processes]),
      [[name, 1]],
    );
  }
  assert.equal(tree.follow(readBootTimeNs()), false);
});

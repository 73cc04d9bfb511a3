import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { parseSettings } from '../../src/config/settings.js';
import { enterCgroup, makeCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { monotonicSinceOriginNs, readBootTimeNs } from '../../src/linux/clocks.js';
import { ProcessStat } from '../../src/linux/process-stat.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { until } from '../../src/testing/until.js';
import { areNear } from './bpf-cpu-time.js';
import { chooseCpuTimeSource, findCpuClocks } from './choose-cpu-time-source.js';
import { schema } from './config.js';
import { spawnAs } from './spawn-as.fixture.js';

test('findCpuClocks finds the CPU clocks for the procfs of its own PID namespace', () => {
  assert.equal(findCpuClocks('/proc')?.read(process.pid), true);
  assert.notEqual(findCpuClocks(createProcfs(`Name:\tnode\nNSpid:\t${process.pid}\n`)), undefined);
});

test('findCpuClocks finds nothing for that of another PID namespace', () => {
  assert.equal(findCpuClocks(createProcfs(`NSpid:\t48231\t${process.pid}\n`)), undefined);
  assert.equal(findCpuClocks(createProcfs(`NSpid:\t${process.pid + 1}\n`)), undefined);
});

test('findCpuClocks finds nothing for a folder that does not have its own process', () => {
  assert.equal(findCpuClocks('/proc/self/absent'), undefined);
});

function createProcfs(status: string): string {
  const path = createFolder();
  mkdirSync(join(path, 'self'));
  writeFileSync(join(path, 'self', 'status'), status);
  return path;
}

const { source: exact, obstacle } = await chooseCpuTimeSource(parseSettings(schema, {}));
after(() => exact?.close());
const skip = skipFor(obstacle);

test(
  'BPF does not charge a process with the CPU time of an earlier process with the same PID',
  { skip },
  async (t) => {
    assert.ok(exact);
    const first = spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const { pid = 0 } = first;
    const firstTicks = readStartTicks(pid);
    const scan = (): void => exact.beginScan(Number(readBootTimeNs()), () => {});
    do {
      await setTimeout(20);
      scan();
    } while (!exact.read(pid, firstTicks) || exact.nanoseconds < 50_000_000);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = await spawnAs(pid);
    if (second === undefined) return t.skip('the kernel does not give a number again when asked to');
    try {
      const secondTicks = readStartTicks(pid);
      // The last pass only found the first process. If the second ended before the next one, it would be brief.
      assert.equal(exact.read(pid, secondTicks), false);
      scan();
      assert.equal(exact.read(pid, firstTicks), false);
      assert.ok(exact.read(pid, secondTicks));
      assert.ok(exact.seconds === 0 && exact.nanoseconds < 50_000_000, `${exact.nanoseconds} ns`);
    } finally {
      second.kill('SIGKILL');
      await once(second, 'exit');
    }
  },
);

function readStartTicks(pid: number): number {
  const stat = new ProcessStat();
  assert.ok(stat.read(`/proc/${pid}`));
  return stat.startTicks;
}

test(
  'BPF has the memory of a process as procfs has, and ignores it if procfs has other figures',
  { skip },
  (t) => {
    assert.ok(exact);
    if (exact.details === undefined && !exact.read(process.pid)) assert.fail('expected this process');
    if (exact.changed === undefined) return t.skip('the kernel is older than Linux 6.7');
    const stat = new ProcessStat();
    assert.ok(stat.read('/proc/self'));
    exact.beginScan(Number(readBootTimeNs()), () => {});
    assert.ok(exact.read(process.pid));
    const [resident = NaN] = exact.details ?? [];
    assert.ok(areNear(resident, stat.residentPages), `${resident} pages, not ${stat.residentPages}`);
    assert.ok(!areNear(resident, 2 * resident) && !areNear(2 * resident, resident) && !areNear(0, resident));
  },
);

test('BPF reports which processes a scan found first, and when it read all', { skip }, async (t) => {
  assert.ok(exact);
  const scan = (): void => exact.beginScan(Number(readBootTimeNs()), () => {});
  scan();
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const before = monotonicSinceOriginNs();
  scan();
  const { readAtNs = NaN } = exact;
  assert.ok(readAtNs > before && readAtNs < monotonicSinceOriginNs(), `${readAtNs} after ${before}`);
  const hasBorn = (pid = 0): boolean | undefined => exact.born?.includes(pid);
  assert.deepEqual([hasBorn(child.pid), hasBorn(process.pid)], [true, false]);
  scan();
  assert.equal(hasBorn(child.pid), false);
});

test('BPF detects when a process is another program, and whether it is stopped', { skip }, async (t) => {
  assert.ok(exact);
  const child = spawn('sh', ['-c', 'read line; exec cat'], { stdio: ['pipe', 'ignore', 'ignore'] });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  const untilIs = async (isRight: () => boolean): Promise<void> => {
    do {
      await setTimeout(5);
      exact.beginScan(Number(readBootTimeNs()), () => {});
    } while (!exact.read(pid) || !isRight());
  };
  await untilIs(() => exact.taskState === 'S');
  const { revision } = exact;
  await untilIs(() => exact.taskState === 'S');
  assert.equal(exact.revision, revision);
  child.stdin.write('\n');
  await untilIs(() => exact.revision === (revision ?? NaN) + 1);
  child.kill('SIGSTOP');
  await untilIs(() => exact.taskState === 'T');
  assert.equal(exact.revision, (revision ?? NaN) + 1);
});

test('BPF has the state of a frozen process as procfs has', { skip }, async (t) => {
  assert.ok(exact);
  const made = makeCgroup(t, 'freezer');
  if (typeof made === 'string') return t.skip(made);
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const { pid = 0 } = child;
  enterCgroup(made.folder, pid);
  const freezer = join(made.folder, 'freezer.state');
  const stateIn = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.slice(0, 1) ?? '';
  const seen = (): string | undefined => {
    exact.beginScan(Number(readBootTimeNs()), () => {});
    return exact.read(pid) ? exact.taskState : undefined;
  };
  try {
    writeFileSync(freezer, 'FROZEN');
    await until(() => readFileSync(freezer, 'latin1') === 'FROZEN\n');
    assert.deepEqual([stateIn(), seen()], ['D', 'D']);
  } finally {
    writeFileSync(freezer, 'THAWED');
  }
  await until(() => stateIn() === 'S' && seen() === 'S');
});

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { enterCgroup, makeCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { CpuClock } from '../../src/linux/clocks.js';
import type { Series } from '../../src/model/series.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { until } from '../../src/testing/until.js';
import { chooseCpuTimeSource } from './choose-cpu-time-source.js';
import { factory } from './factory.js';
import { spawnAs } from './spawn-as.fixture.js';

// Events in the life of real processes, with each source of CPU time.

const { source, obstacle } = await chooseCpuTimeSource(parseSettings(factory.schema, { cpu_time: 'auto' }));
source?.close();
const cannotTrace = skipFor(obstacle);

/** A receiver that scans on request, and the CPU time that it charged. */
async function startReceiver(t: TestContext, backend: 'ebpf' | 'procfs') {
  const next = createTableCollector();
  const config = parseSettings(factory.schema, { collection_interval: '1h', cpu_time: backend });
  const receiver = factory.create(config, createFakeContext(), next);
  t.after(() => receiver.shutdown());
  await receiver.start();
  await receiver.flush?.();
  const charged = () => {
    const last = new Map<Series, number>();
    for (const { series, values } of next.tables) {
      const at = values.length - series.length;
      for (const [i, each] of series.entries()) {
        const value = at < 0 ? undefined : values[at + i];
        if (each.metric.name === 'process.cpu.time' && value !== undefined && !Number.isNaN(value))
          last.set(each, value);
      }
    }
    return last;
  };
  /** Seconds of the processes with a PID, by the value of an attribute. */
  const byAttribute = (pid: number, name: string): Readonly<Record<string, number>> => {
    const sums: Record<string, number> = {};
    for (const [{ resource }, seconds] of charged()) {
      if (resource.attributes['process.pid'] !== pid) continue;
      const key = String(resource.attributes[name]);
      sums[key] = (sums[key] ?? 0) + seconds;
    }
    return sums;
  };
  return { scan: async () => receiver.flush?.(), byAttribute };
}

/** A shell that burns CPU time for each line, and then responds with a line. */
const burn = 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo';

function startShell(t: TestContext, script: string, program = 'dash') {
  const child = spawn(program, ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0, stdin, stdout } = child;
  const ask = async () => {
    stdin.write('\n');
    await once(stdout, 'data');
  };
  return { child, pid, ask };
}

/** Total CPU time of a process from its clock. */
function usedBy(pid: number): number {
  const clock = new CpuClock();
  assert.ok(clock.read(pid));
  return clock.seconds + clock.nanoseconds / 1e9;
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((all, part) => all + part, 0);
}

/** The CPU clock of another process, and the values of eBPF, lag by up to a tick while it runs. */
function assertNear(seconds: number, wanted: number): void {
  assert.ok(Math.abs(seconds - wanted) <= 0.02 + 0.01 * wanted, `${seconds} s, wanted ${wanted} s`);
}

for (const backend of ['ebpf', 'procfs'] as const) {
  const skip = backend === 'ebpf' && cannotTrace;

  test(
    `ProcessReceiver charges each program of a process that executes another one: ${backend}`,
    { skip },
    async (t) => {
      const { scan, byAttribute } = await startReceiver(t, backend);
      const { pid, ask } = startShell(t, `read x; ${burn}; read x; exec bash -c '${burn}; read x'`);
      await ask();
      const first = usedBy(pid);
      await scan();
      await ask();
      await scan();
      const parts = byAttribute(pid, 'process.executable.name');
      assert.deepEqual(Object.keys(parts), ['dash', 'bash']);
      assertNear(parts['dash'] ?? 0, first);
      assertNear(sum(parts), usedBy(pid));
    },
  );

  test(
    `ProcessReceiver charges a process in its current cgroup after it was moved: ${backend}`,
    { skip },
    async (t) => {
      const made = makeCgroup(t, 2);
      if (typeof made === 'string') return t.skip(made);
      const [a = '', b = ''] = ['a', 'b'].map((name) => join(made.folder, name));
      for (const folder of [a, b]) mkdirSync(folder);
      const { scan, byAttribute } = await startReceiver(t, backend);
      const { child, pid, ask } = startShell(t, `while read x; do ${burn}; done`);
      enterCgroup(a, pid);
      await ask();
      await scan();
      const first = usedBy(pid);
      enterCgroup(b, pid);
      for (let tries = 0; tries < 3; tries++) {
        await ask();
        await scan();
      }
      const parts = byAttribute(pid, 'process.linux.cgroup');
      const paths = ['a', 'b'].map((name) => `0::${made.path}/${name}`);
      assert.deepEqual(Object.keys(parts), paths);
      assertNear(sum(parts), usedBy(pid));
      // The cgroup of a process that has run is read from procfs at the scan after the move.
      assert.ok((parts[paths[0] ?? ''] ?? 0) >= first - 0.02);
      assert.ok((parts[paths[1] ?? ''] ?? 0) > first);
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  );

  test(`ProcessReceiver charges a process whose first thread has ended: ${backend}`, { skip }, async (t) => {
    const { scan, byAttribute } = await startReceiver(t, backend);
    const program = spawn('python3', ['-c', leaderless], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => program.kill('SIGKILL'));
    if (!(await isReady(program))) return t.skip('needs python3 with ctypes');
    const { pid = 0 } = program;
    await scan();
    const before = usedBy(pid);
    program.stdin.write('\n');
    await once(program.stdout, 'data');
    await scan();
    const used = usedBy(pid);
    assert.ok(used - before > 0.2);
    assertNear(sum(byAttribute(pid, 'process.executable.name')), used);
  });

  test(
    `ProcessReceiver charges each program of a process in which another thread than the first executes one: ${backend}`,
    { skip },
    async (t) => {
      const { scan, byAttribute } = await startReceiver(t, backend);
      const program = spawn('python3', ['-c', executing, `echo; read x; ${burn}; read x`], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      t.after(() => program.kill('SIGKILL'));
      if (!(await isReady(program))) return t.skip('needs python3');
      const { pid = 0 } = program;
      const ask = async () => {
        program.stdin.write('\n');
        await once(program.stdout, 'data');
        await scan();
      };
      await scan();
      const before = usedBy(pid);
      // The thread takes the id of the first one, and its CPU time continues.
      await ask();
      const between = usedBy(pid);
      await ask();
      const { bash = NaN, ...others } = byAttribute(pid, 'process.executable.name');
      assert.ok(between - before > 0.2);
      assertNear(sum(others) + bash, usedBy(pid));
      assert.ok(bash > 0 && sum(others) >= before - 0.02, `${bash} s, ${JSON.stringify(others)}`);
    },
  );

  test(
    `ProcessReceiver charges nothing to a process whose PID was reused: ${backend}`,
    { skip },
    async (t) => {
      const { scan, byAttribute } = await startReceiver(t, backend);
      const { child, pid, ask } = startShell(t, `while read x; do ${burn}; done`);
      await ask();
      await scan();
      const first = sum(byAttribute(pid, 'process.pid'));
      await ask();
      child.kill('SIGKILL');
      await once(child, 'exit');
      const second = await spawnAs(pid);
      if (second === undefined) return t.skip('the kernel does not give a number again when asked to');
      t.after(() => second.kill('SIGKILL'));
      const isSeen = async () => {
        await scan();
        return 'sleep' in byAttribute(pid, 'process.executable.name');
      };
      await until(isSeen);
      const parts = byAttribute(pid, 'process.executable.name');
      assert.ok((parts['sleep'] ?? NaN) < 0.03, JSON.stringify(parts));
      assert.ok((parts['dash'] ?? 0) >= first);
    },
  );
}

/** Its first thread ends, as with pthread_exit; another one runs for each line. */
const leaderless = `
import ctypes, os, platform, sys, threading, time
leader = threading.get_native_id()
def work():
    while open('/proc/self/task/%d/stat' % leader).read().rsplit(')', 1)[1].split()[0] != 'Z': time.sleep(0.001)
    print(flush=True)
    for line in sys.stdin:
        end = time.process_time() + 0.25
        while time.process_time() < end: pass
        print(flush=True)
threading.Thread(target=work).start()
ctypes.CDLL(None).syscall({'x86_64': 60}.get(platform.machine(), 93), 0)
`;

/** Its second thread runs, and executes a shell with a script. Bytes are read singly: the rest is for the shell. */
const executing = `
import os, sys, threading, time
def work():
    print(flush=True)
    os.read(0, 1)
    end = time.process_time() + 0.25
    while time.process_time() < end: pass
    os.execvp('bash', ['bash', '-c', sys.argv[1]])
threading.Thread(target=work).start()
time.sleep(600)
`;

/** Whether it printed something before it ended, if it could be started at all. */
async function isReady(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.stdout?.once('data', () => resolve(true));
    for (const event of ['error', 'close']) child.once(event, () => resolve(false));
  });
}

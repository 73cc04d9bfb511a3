import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { describeError } from '../../errors.js';
import { skipFor } from '../../testing/needs.fixture.js';
import { originSecond, readBootTimeNs } from '../clocks.js';
import { CpuAccounting } from './cpu-accounting.js';
import { KernelTypes } from './kernel-types.js';
import { SwitchSlots } from './switch-slots.js';

// On the real kernel. Missing features skip tests; as root in the gate none are missing.
const cannotOpen = await CpuAccounting.open(true).then(
  (accounting) => {
    accounting.close();
    return false;
  },
  (error: unknown) => skipFor(describeError(error)),
);
/** Not the CPU of this process, which would preempt the spinner while it checks it. */
const spinnerCpu = '1';
const canPin =
  spawnSync('taskset', ['-c', spinnerCpu, 'true']).status === 0 &&
  spawnSync('taskset', ['-apc', '0', String(process.pid)]).status === 0;
const skip = cannotOpen || (!canPin && 'needs taskset and two CPUs');

/**
 * Spins for a second and prints pairs of CLOCK_MONOTONIC and its own CPU time, both in nanoseconds. It must not
 * read its CPU time from the kernel, which would account for it then: it uses the elapsed time without the gaps
 * in which something else ran.
 */
const spinner = `
  const [at, used] = [[], []];
  // The first reading of each clock takes up to a millisecond: the narrowest of ten pairs gives the difference of both.
  let origin = 0;
  for (let i = 0, narrowest = Infinity; i < 10; i++) {
    const before = Number(process.hrtime.bigint());
    const now = performance.now();
    const after = Number(process.hrtime.bigint());
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    origin = (before + after) / 2 - now * 1e6;
  }
  let last = performance.now(), own = 0, next = last;
  for (const end = last + 1000; last < end; ) {
    const now = performance.now();
    if (now - last < 0.02) own += now - last;
    last = now;
    if (now < next) continue;
    at.push(origin + now * 1e6);
    used.push(own * 1e6);
    next = now + 0.1;
  }
  console.log(JSON.stringify({ at, used }));
`;

interface OwnClock {
  readonly at: readonly number[];
  readonly used: readonly number[];
}

/** Usage of the spinner at an instant; NaN outside of its second. */
function interpolate({ at, used }: OwnClock, instant: number): number {
  const after = at.findIndex((each) => each >= instant);
  const [from, to] = [at[after - 1] ?? NaN, at[after] ?? NaN];
  const [usedFrom, usedTo] = [used[after - 1] ?? NaN, used[after] ?? NaN];
  return usedFrom + ((usedTo - usedFrom) * (instant - from)) / (to - from);
}

interface Reading {
  /** CLOCK_MONOTONIC in nanoseconds. */
  readonly at: number;
  /** NaN: unknown. */
  readonly usedNs: number;
}

/**
 * Reads the usage of the spinner every 1 to 3 ms.
 * @returns the errors of the windows in which it ran all the time, relative to their length
 */
async function measureErrors(read: (pid: number) => Reading): Promise<readonly number[]> {
  const child = spawn('taskset', ['-c', spinnerCpu, process.execPath, '-e', spinner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = text(child.stdout);
  const readings: Reading[] = [];
  const hasEnded = once(child, 'close').then(() => true);
  while (!(await Promise.race([hasEnded, setTimeout(1, false)]))) readings.push(read(child.pid ?? 0));
  const clock = JSON.parse(await output) as OwnClock; // Output of the spinner.
  return readings.slice(1).flatMap((reading, i) => {
    const before = readings[i] ?? reading;
    const lengthNs = reading.at - before.at;
    const ownNs = interpolate(clock, reading.at) - interpolate(clock, before.at);
    const usedNs = reading.usedNs - before.usedNs;
    // Interrupts in the gaps may be charged to it.
    const errorNs = Math.max(0, ownNs - usedNs, usedNs - lengthNs);
    return lengthNs < 3e6 && ownNs >= lengthNs * 0.98 && errorNs >= 0 ? [errorNs / lengthNs] : [];
  });
}

const minWindows = 30;

/** On an overloaded machine each second has few usable windows. */
async function collectErrors(read: (pid: number) => Reading): Promise<readonly number[]> {
  const errors: number[] = [];
  for (let i = 0; i < 10 && errors.length < minWindows; i++) errors.push(...(await measureErrors(read)));
  return errors.toSorted((a, b) => a - b);
}

const tooBusy = 'the machine is too busy for anything to run all the time';

for (const keepsStoresInOrder of [true, false]) {
  const order = keepsStoresInOrder ? 'x86' : 'other CPUs';
  test(
    `SwitchSlots has the CPU time of running threads, with an error of about 0.1 % of 1 ms, by the program for ${order}`,
    { skip },
    async (t) => {
      const slots = await SwitchSlots.open(await KernelTypes.load(), keepsStoresInOrder);
      t.after(() => slots.close());
      const errors = await collectErrors((pid) => {
        const at = originSecond * 1e9 + slots.read();
        return { at, usedNs: slots.find(pid) ?? NaN };
      });
      if (errors.length < minWindows) return t.skip(tooBusy);
      const median = errors[errors.length >> 1] ?? NaN;
      // Time taken by a hypervisor becomes visible only at the next tick: all windows of a machine without one are
      // this exact.
      assert.ok(median < 0.002, `${median}`);
    },
  );
}

/** Usage of a process at an instant, by the accounting and by the slots of the test. */
interface Comparison {
  readonly at: number;
  readonly usedNs: number;
  readonly ownNs: number;
}

/** Undefined if the process did not run all the time in between. */
function compare(slots: SwitchSlots, accounting: CpuAccounting, pid: number): Comparison | undefined {
  const [fromNs, ownNs] = [slots.read(), slots.find(pid) ?? NaN];
  accounting.update(Number(readBootTimeNs()), () => {});
  const [toNs, laterNs] = [slots.read(), slots.find(pid) ?? NaN];
  const at = accounting.readAtNs;
  const { seconds, nanoseconds } = accounting.find(pid) ?? { seconds: NaN, nanoseconds: NaN };
  const hasRun = Math.abs(laterNs - ownNs - (toNs - fromNs)) < 1000;
  return hasRun ? { at, usedNs: seconds * 1e9 + nanoseconds, ownNs: ownNs + at - fromNs } : undefined;
}

/**
 * The error of a window relative to its length; undefined unless the process ran all through it according to
 * the slots.
 */
function findError(from: Comparison | undefined, to: Comparison | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const lengthNs = to.at - from.at;
  const ownNs = to.ownNs - from.ownNs;
  if (lengthNs > 3e6 || Math.abs(ownNs - lengthNs) > lengthNs * 0.001) return undefined;
  return Math.abs(to.usedNs - from.usedNs - ownNs) / lengthNs;
}

/** The errors of windows of 1 to 3 ms, ascending, of a process that never sleeps. */
async function compareWithSlots(t: TestContext, accounting: CpuAccounting): Promise<readonly number[]> {
  t.after(() => accounting.close());
  const slots = await SwitchSlots.open(await KernelTypes.load());
  t.after(() => slots.close());
  const child = spawn('taskset', ['-c', spinnerCpu, process.execPath, '-e', 'for (;;);'], {
    stdio: 'ignore',
  });
  // It would run forever after a failure, and keep this process running.
  t.after(() => child.kill('SIGKILL'));
  const errors: number[] = [];
  let before: Comparison | undefined;
  for (let i = 0; i < 10_000 && errors.length < 10 * minWindows; i++) {
    await setTimeout(1);
    const now = compare(slots, accounting, child.pid ?? 0);
    errors.push(...[findError(before, now)].filter((error) => error !== undefined));
    before = now;
  }
  child.kill('SIGKILL');
  [slots, accounting].forEach((each) => each.close());
  return errors.toSorted((a, b) => a - b);
}

test(
  'CpuAccounting has the CPU time of running threads at the instant of a pass, with slots',
  { skip },
  async (t) => {
    const withSlots = await compareWithSlots(t, await CpuAccounting.open(true));
    const without = await compareWithSlots(t, await CpuAccounting.open());
    if (Math.min(withSlots.length, without.length) < minWindows) return t.skip(tooBusy);
    const ofMost = withSlots[Math.ceil(withSlots.length * 0.98) - 1] ?? NaN;
    const median = without[without.length >> 1] ?? NaN;
    // Without slots most windows have no CPU time: a tick is 4 or 10 ms long.
    assert.ok(ofMost < 0.005 && median > 0.5, `${ofMost} with slots, ${median} without`);
  },
);

test(
  'CpuAccounting agrees with getrusage, with slots, for a process that sleeps again',
  { skip },
  async (t) => {
    const accounting = await CpuAccounting.open(true);
    t.after(() => accounting.close());
    const script = `
    for (const end = performance.now() + 200; performance.now() < end; );
    setInterval(() => {}, 1000);
    const { user, system } = process.cpuUsage();
    require('node:fs').writeSync(1, String(user + system));
  `;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const timer = setInterval(() => accounting.update(Number(readBootTimeNs()), () => {}), 5);
    t.after(() => clearInterval(timer));
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    await setTimeout(50);
    clearInterval(timer);
    accounting.update(Number(readBootTimeNs()), () => {});
    const { seconds = NaN, nanoseconds = NaN } = accounting.find(child.pid ?? 0) ?? {};
    const [usedNs, ownNs] = [seconds * 1e9 + nanoseconds, Number(chunk.toString()) * 1000];
    // Time taken by interrupts and a hypervisor is charged for at most a tick.
    assert.ok(usedNs >= ownNs * 0.98 && usedNs <= ownNs * 1.1 + 10e6, `${usedNs} of ${ownNs}`);
  },
);

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { readBootTimeNs } from '../clocks.js';
import { CpuAccounting } from './cpu-accounting.js';

// On the real kernel. What it lacks is skipped; as root in the gate nothing is.
const mustBeTested = process.env['JOULEMETRY_TEST_ROOT'] === 'required';
const canOpen = await CpuAccounting.open(true).then(
  (accounting) => {
    accounting.close();
    return true;
  },
  (error: unknown) => {
    if (mustBeTested) throw error;
    return false;
  },
);
/** Not the CPU of this process, which would not run the spinner while it is looked at. */
const spinnerCpu = '1';
const canPin =
  spawnSync('taskset', ['-c', spinnerCpu, 'true']).status === 0 &&
  spawnSync('taskset', ['-apc', '0', String(process.pid)]).status === 0;
const skip =
  !(canOpen && canPin) &&
  'needs taskset, two CPUs and root, or CAP_BPF and CAP_PERFMON, and a kernel with BTF';

/**
 * Spins for a second and prints pairs of CLOCK_MONOTONIC and its own CPU time, both in nanoseconds. It must not ask the
 * kernel for that, which would book it: its time is what passes, but for gaps in which something else ran.
 */
const spinner = `
  const [at, used] = [[], []];
  const origin = Number(process.hrtime.bigint()) - performance.now() * 1e6;
  let last = performance.now(), own = 0, next = last;
  for (const end = last + 1000; last < end; ) {
    const now = performance.now();
    if (now - last < 0.3) own += now - last;
    last = now;
    if (now < next) continue;
    at.push(origin + now * 1e6);
    used.push(own * 1e6);
    next = now + 0.25;
  }
  console.log(JSON.stringify({ at, used }));
`;

interface OwnClock {
  readonly at: readonly number[];
  readonly used: readonly number[];
}

/** What the spinner had used at an instant; NaN outside of its second. */
function interpolate({ at, used }: OwnClock, instant: number): number {
  const after = at.findIndex((each) => each >= instant);
  const [from, to] = [at[after - 1] ?? NaN, at[after] ?? NaN];
  const [usedFrom, usedTo] = [used[after - 1] ?? NaN, used[after] ?? NaN];
  return usedFrom + ((usedTo - usedFrom) * (instant - from)) / (to - from);
}

interface Reading {
  readonly at: number;
  readonly exactNs: number;
  readonly tickedNs: number;
}

/** Errors of windows of 1 to 3 ms, as parts of the window, with slots and without. */
interface Errors {
  readonly exact: number[];
  readonly ticked: number[];
}

/** Adds the errors of the windows in which the spinner ran all the time: what it used is their length. */
async function measureErrors(t: TestContext, errors: Errors): Promise<void> {
  const [exact, ticked] = [await CpuAccounting.open(true), await CpuAccounting.open()];
  t.after(() => [exact, ticked].forEach((accounting) => accounting.close()));
  const child = spawn('taskset', ['-c', spinnerCpu, process.execPath, '-e', spinner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = text(child.stdout);
  const readings: Reading[] = [];
  const hasEnded = once(child, 'close').then(() => true);
  const usedIn = (accounting: CpuAccounting): number => {
    accounting.update(Number(readBootTimeNs()), () => {});
    const { seconds = NaN, nanoseconds = NaN } = accounting.find(child.pid ?? 0) ?? {};
    return seconds * 1e9 + nanoseconds;
  };
  while (!(await Promise.race([hasEnded, setTimeout(1, false)]))) {
    const at = Number(process.hrtime.bigint());
    const exactNs = usedIn(exact);
    // Where this process itself had to wait, its reading is of an unknown instant.
    const hasWaited = Number(process.hrtime.bigint()) - at > 0.4e6;
    const tickedNs = usedIn(ticked);
    if (!hasWaited) readings.push({ at, exactNs, tickedNs });
  }
  const clock = JSON.parse(await output) as OwnClock; // What the spinner prints.
  for (const [i, reading] of readings.slice(1).entries()) {
    const before = readings[i] ?? reading;
    const lengthNs = reading.at - before.at;
    const ownNs = interpolate(clock, reading.at) - interpolate(clock, before.at);
    if (lengthNs > 3e6 || !(ownNs >= lengthNs * 0.995)) continue;
    errors.exact.push(Math.abs(reading.exactNs - before.exactNs - ownNs) / lengthNs);
    errors.ticked.push(Math.abs(reading.tickedNs - before.tickedNs - ownNs) / lengthNs);
  }
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

const minWindows = 50;

test(
  'CpuAccounting knows the CPU time of what runs at the instant of a pass, with slots',
  { skip },
  async (t) => {
    const errors: Errors = { exact: [], ticked: [] };
    // On an overloaded machine few windows are left.
    for (let i = 0; i < 10 && errors.exact.length < minWindows; i++) await measureErrors(t, errors);
    if (errors.exact.length < minWindows)
      return t.skip('the machine is too busy for anything to run all the time');
    const [exact, ticked] = [medianOf(errors.exact), medianOf(errors.ticked)];
    // A tick is 4 or 10 ms long: without slots most windows show nothing. Some of the rest is what a hypervisor took.
    assert.ok(exact < 0.25 && ticked > 0.5, `${exact} with slots, ${ticked} without`);
  },
);

test(
  'CpuAccounting agrees with getrusage with slots, for a process that sleeps again',
  { skip },
  async (t) => {
    const accounting = await CpuAccounting.open(true);
    t.after(() => accounting.close());
    const script = `
    for (const end = performance.now() + 200; performance.now() < end; );
    setInterval(() => {}, 1000);
    const { user, system } = process.cpuUsage();
    console.log(user + system);
  `;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const timer = setInterval(() => accounting.update(Number(readBootTimeNs()), () => {}), 5);
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    await setTimeout(50);
    clearInterval(timer);
    accounting.update(Number(readBootTimeNs()), () => {});
    const { seconds = NaN, nanoseconds = NaN } = accounting.find(child.pid ?? 0) ?? {};
    const [usedNs, ownNs] = [seconds * 1e9 + nanoseconds, Number(chunk.toString()) * 1000];
    // What interrupts and a hypervisor take is charged for a tick at the most.
    assert.ok(usedNs >= ownNs * 0.98 && usedNs <= ownNs * 1.1 + 10e6, `${usedNs} of ${ownNs}`);
  },
);

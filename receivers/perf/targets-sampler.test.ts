import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseSettings } from '../../src/config/settings.js';
import { enterCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { perfRefused } from '../../src/linux/perf/refused.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { countPerfEvents, makePerfCgroup } from './perf-cgroups.fixture.js';
import { createPlan, findEvents, type PlannedTarget, type TargetsPlan } from './plan.js';
import { openTargetsSampler } from './targets-sampler.js';

const needsTwo = availableParallelism() < 2 ? 'this machine has one CPU' : perfRefused;

const planOf = (
  targets: readonly PlannedTarget[],
  settings: Readonly<Record<string, unknown>>,
): TargetsPlan => {
  const config = parseSettings(schema, settings);
  const common = createPlan(config, findEvents(config), { kind: 'machine' });
  return structuredClone({ common, targets, maxCgroupEvents: config.max_cgroup_events });
};

const cgroupAt = (folder: string): PlannedTarget => ({
  key: folder,
  name: `cgroup ${folder}`,
  target: { kind: 'cgroup', folder },
});

function openOn(t: TestContext, plan: TargetsPlan) {
  const sampler = openTargetsSampler(plan);
  t.after(() => sampler.close());
  const read = () => {
    const values = new Float64Array(sampler.width);
    sampler.read(values, 0);
    return [...values];
  };
  return { sampler, read };
}

/** A process that waits for a line and then uses the CPU until its own CPU clock reaches a limit. */
async function startBurner(t: TestContext, folder: string, wrapper: readonly string[] = []) {
  const script = `
    process.stdin.once('data', () => {
      const before = process.cpuUsage();
      while (process.cpuUsage(before).user + process.cpuUsage(before).system < 200_000);
      process.exit();
    });
    process.stdout.write('ready');`;
  const [program, ...args] = [...wrapper, process.execPath, '-e', script];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await new Promise((resolve) => void child.stdout.once('data', resolve));
  enterCgroup(folder, child.pid ?? 0);
  const exited = new Promise((resolve) => void child.once('exit', resolve));
  return { run: () => (child.stdin.write('go'), exited) };
}

function countCpus(): number {
  return readFileSync('/proc/stat', 'utf8').match(/^cpu\d+/gmu)?.length ?? 0;
}

test(
  'openTargetsSampler counts the usage of cgroups, including all cgroups below',
  { skip: perfRefused },
  async (t) => {
    const folder = makePerfCgroup(t)?.folder;
    if (folder === undefined) return;
    const [busy, below, idle] = [join(folder, 'busy'), join(folder, 'busy/below'), join(folder, 'idle')];
    for (const each of [busy, below, idle]) mkdirSync(each);
    const burner = await startBurner(t, below);
    const { read } = openOn(t, planOf([folder, busy, idle].map(cgroupAt), { events: ['task-clock'] }));
    assert.deepEqual(read(), [0, 0, 0]);
    await burner.run();
    const [all, some, none] = read();
    assert.equal(all, some);
    assert.equal(none, 0);
    // Its own clock counted from the time at which it had read the line, and until its last check.
    assert.ok(some !== undefined && some >= 0.2 && some < 0.4, `${some} s`);
  },
);

test(
  'openTargetsSampler follows cgroups: the others keep their columns and counts',
  { skip: perfRefused },
  async (t) => {
    const folder = makePerfCgroup(t)?.folder;
    if (folder === undefined) return;
    const folders = ['a', 'b', 'c'].map((name) => join(folder, name));
    for (const each of folders) mkdirSync(each);
    const [a = '', b = '', c = ''] = folders;
    const events = { events: ['task-clock', 'page-faults'] };
    const { sampler, read } = openOn(t, planOf([a, b].map(cgroupAt), events));
    const burner = await startBurner(t, b);
    const [, , , faults = 0] = read();
    await burner.run();
    rmdirSync(a);
    const before = read();
    sampler.update?.(planOf([b, c].map(cgroupAt), events));
    assert.equal(sampler.generation, 1);
    assert.deepEqual(sampler.columns.targets, [
      { key: b, layout: 0 },
      { key: c, layout: 0 },
    ]);
    assert.deepEqual(
      sampler.columns.layouts[0]?.map(({ attributes }) => attributes['perf.event.name']),
      ['task-clock', 'page-faults'],
    );
    const after = read();
    assert.deepEqual(after.slice(0, 2), before.slice(2));
    assert.ok((after[0] ?? 0) >= 0.2 && (after[1] ?? 0) > faults);
    assert.deepEqual(sampler.columnIds, [3, 4, 5, 6]);
    sampler.update?.(planOf([], events));
    // One for each CPU shows whether it goes offline.
    assert.deepEqual([sampler.width, sampler.generation, countPerfEvents()], [0, 2, countCpus()]);
  },
);

test(
  'openTargetsSampler counts as many cgroups as there is room for, and others once some were removed',
  { skip: perfRefused },
  (t) => {
    const folder = makePerfCgroup(t)?.folder;
    if (folder === undefined) return;
    const folders = ['a', 'b', 'c'].map((name) => join(folder, name));
    for (const each of folders) mkdirSync(each);
    const [a = '', b = '', c = ''] = folders;
    const cpus = countCpus();
    const settings = { events: ['task-clock', 'page-faults'], max_cgroup_events: 5 * cpus };
    const { sampler } = openOn(t, planOf([a, b, c].map(cgroupAt), settings));
    const keys = () => sampler.columns.targets.map(({ key }) => key);
    assert.deepEqual(keys(), [a, b]);
    assert.deepEqual(sampler.columns.notes, [
      `Cannot count cgroup ${c}: expected at most ${5 * cpus} perf events for cgroups, found ${2 * cpus} (events x CPUs) x 3 cgroups; select fewer cgroups or events, or raise max_cgroup_events`,
    ]);
    assert.equal(countPerfEvents(), (4 + 1) * cpus);
    sampler.update?.(planOf([a, b, c].map(cgroupAt), settings));
    assert.equal(sampler.generation, 0);
    sampler.update?.(planOf([b, c].map(cgroupAt), settings));
    assert.deepEqual([keys(), sampler.columns.notes], [[b, c], []]);
  },
);

test(
  'openTargetsSampler reports each target that cannot be counted once, and no removed cgroup',
  { skip: perfRefused },
  (t) => {
    const gone = cgroupAt('/sys/fs/cgroup/joulemetry-never-made');
    const dead: PlannedTarget = {
      key: 'p',
      name: 'process 4194305 (sh)',
      target: { kind: 'process', pid: 4_194_305 },
    };
    const { sampler } = openOn(t, planOf([gone, dead], { events: ['task-clock'] }));
    assert.equal(sampler.width, 0);
    assert.deepEqual(sampler.columns.notes, [
      'Cannot count process 4194305 (sh): Cannot count process 4194305: expected a running process, found none',
    ]);
    sampler.update?.(planOf([gone, dead], { events: ['task-clock'] }));
    assert.equal(sampler.generation, 0);
  },
);

test(
  'openTargetsSampler counts cgroups on CPUs that come back, in addition to their earlier counts',
  { skip: needsTwo },
  async (t) => {
    const folder = makePerfCgroup(t)?.folder;
    if (folder === undefined) return;
    const sysfs = createFolder();
    mkdirSync(join(sysfs, 'devices/system/cpu'), { recursive: true });
    let nowMs = 0;
    const settings = { sysfs, events: ['task-clock'], per_cpu: true };
    const setOnline = (online: string) => writeFileSync(join(sysfs, 'devices/system/cpu/online'), online);
    setOnline('0-1');
    const sampler = openTargetsSampler(planOf([cgroupAt(folder)], settings), () => nowMs);
    t.after(() => sampler.close());
    const read = () => {
      const values = new Float64Array(sampler.width);
      sampler.read(values, 0);
      return [...values];
    };
    const burnOn = async (cpu: number) => {
      const burner = await startBurner(t, folder, ['taskset', '-c', String(cpu)]);
      await burner.run();
    };
    read();
    await burnOn(0);
    const switchTo = (online: string) => {
      setOnline(online);
      nowMs += 1000;
      sampler.maintain?.();
    };
    switchTo('1');
    const [kept = 0] = read();
    assert.ok(kept >= 0.2, `${kept} s`);
    await burnOn(0);
    assert.deepEqual(read()[0], kept);
    switchTo('0-1');
    await burnOn(0);
    const [all = 0] = read();
    assert.ok(all >= kept + 0.2 && all < kept + 0.4, `${all} s after ${kept} s`);
    assert.deepEqual([sampler.generation, countPerfEvents()], [0, 2 + 2]);
  },
);

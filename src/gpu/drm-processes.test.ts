import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeClient, FakeDrm } from '../linux/drm-clients.fixture.js';
import { DrmProcesses, type DrmUsage } from './drm-processes.js';

const address = '0000:00:02.0';

/** The nanoseconds of each process in the window, by task. */
function timesOf({ usage: { fromNs, toNs, samples } }: DrmUsage): Record<string, number> {
  const ns = Number(toNs - fromNs);
  const entries = samples.flatMap(({ pid, shares }) =>
    Object.entries(shares).map(([task, share]) => [`${pid} ${task}`, Math.round((share / 100) * ns)]),
  );
  return Object.fromEntries(entries) as Record<string, number>; // pairs of a text and a number
}

function read(processes: DrmProcesses, of = address): DrmUsage {
  const usage = processes.read([of]).get(of);
  assert.ok(usage);
  return usage;
}

const both = (ns: number) => ({
  ...describeClient(1, 1e9 + ns),
  'engine-copy': `${ns} ns`,
  'engine-video': `${ns} ns`,
});

const xe = (id: number, busy: number, total: number) => ({
  driver: 'xe',
  'client-id': id,
  pdev: address,
  'cycles-rcs': busy,
  'total-cycles-rcs': total,
  'cycles-vcs': 0,
  'total-cycles-vcs': total,
});

const v3d = (ns: number) => ({
  driver: 'v3d',
  'client-id': 1,
  pdev: address,
  'engine-bin': `${ns} ns`,
  'engine-cpu': `${ns} ns`,
});

function start() {
  const drm = new FakeDrm();
  drm.start(10);
  drm.start(20);
  return { drm, processes: new DrmProcesses(drm.procfs) };
}

test('DrmProcesses counts the busy time of each process from the first reading on, by task', () => {
  const { drm, processes } = start();
  drm.write(10, 3, both(5000));
  drm.write(10, 4, describeClient(2, 100));
  drm.write(20, 3, describeClient(3, 7e9));
  const first = read(processes);
  assert.equal(first.usage.fromNs, first.usage.toNs);
  drm.write(10, 3, both(6000));
  drm.write(10, 4, describeClient(2, 150));
  const second = read(processes);
  assert.equal(second.usage.fromNs, first.usage.toNs);
  assert.deepEqual(timesOf(second), {
    '10 general': 1050,
    '10 copy': 1000,
    '10 video': 1000,
    '20 general': 0,
  });
});

test('DrmProcesses knows the task of each engine of amdgpu and of xe', () => {
  // The names in drivers/gpu/drm/amd/amdgpu/amdgpu_fdinfo.c and drivers/gpu/drm/xe/xe_hw_engine.c.
  const tasks = {
    general: ['gfx', 'compute', 'rcs', 'ccs'],
    copy: ['dma', 'bcs'],
    encoder: ['enc', 'enc_1'],
    decoder: ['dec', 'jpeg'],
    video: ['vpe', 'vcs', 'vecs'],
  };
  for (const [task, names] of Object.entries(tasks)) {
    for (const name of names) {
      const { drm, processes } = start();
      const client = { driver: 'amdgpu', 'client-id': 1, pdev: address };
      drm.write(10, 3, { ...client, [`engine-${name}`]: '0 ns' });
      read(processes);
      drm.write(10, 3, { ...client, [`engine-${name}`]: '700 ns' });
      assert.deepEqual(timesOf(read(processes)), { [`10 ${task}`]: 700 }, name);
    }
  }
});

test('DrmProcesses holds a count that decreases until it is made up for', () => {
  const { drm, processes } = start();
  const times = [1000, 2000, 1500, 1900, 2300].map((ns) => {
    drm.write(10, 3, describeClient(1, ns));
    return timesOf(read(processes))['10 general'];
  });
  assert.deepEqual(times, [0, 1000, 0, 0, 300]);
});

test('DrmProcesses charges a client that is new since the last reading all the time that it can have used', () => {
  const { drm, processes } = start();
  read(processes);
  drm.write(10, 3, describeClient(1, 900));
  drm.write(20, 3, describeClient(2, 3600e9));
  assert.deepEqual(timesOf(read(processes)), { '10 general': 900, '20 general': 0 });
  drm.write(20, 3, describeClient(2, 3600e9 + 8));
  assert.deepEqual(timesOf(read(processes)), { '10 general': 0, '20 general': 8 });
});

test('DrmProcesses converts the cycles of xe to time by the clock of the GPU', () => {
  const { drm, processes } = start();
  drm.write(10, 3, xe(1, 100, 10_000));
  read(processes);
  drm.write(10, 3, xe(1, 350, 11_000));
  drm.write(20, 3, xe(2, 500, 11_000));
  const { samples } = read(processes).usage;
  assert.deepEqual(samples, [
    { pid: 10, shares: { general: 25, video: 0 } },
    { pid: 20, shares: { general: 50, video: 0 } },
  ]);
});

test('DrmProcesses reports memory of the GPU, or of the machine if the GPU has none, separately for each GPU', () => {
  const { drm, processes } = start();
  const other = '0000:03:00.0';
  drm.write(10, 3, {
    ...describeClient(1, 0),
    'resident-system0': '3 KiB',
    'resident-stolen-system0': '1 KiB',
  });
  drm.write(20, 3, { ...describeClient(1, 0, other), 'resident-vram0': '5 KiB', 'resident-system': '9 KiB' });
  const usages = processes.read([address, other, '0000:04:00.0']);
  assert.deepEqual(usages.get(address)?.memory, [{ pid: 10, context: 'drm', bytes: 4096 }]);
  assert.deepEqual(usages.get(other)?.memory, [{ pid: 20, context: 'drm', bytes: 5120 }]);
  assert.deepEqual(usages.get('0000:04:00.0')?.memory, []);
});

test("DrmProcesses leaves out v3d's jobs on the CPU", () => {
  const { drm, processes } = start();
  drm.write(10, 3, v3d(10));
  read(processes);
  drm.write(10, 3, v3d(30));
  assert.deepEqual(timesOf(read(processes)), { '10 general': 20 });
});

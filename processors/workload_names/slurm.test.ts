import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { runProcessor } from './names.fixture.js';

/** A procfs and the cgroups of a machine. */
function createMachine() {
  const folder = createFolder();
  const [procfs, cgroupfs] = [join(folder, 'proc'), join(folder, 'cgroup')];
  const addProcess = (pid: number, variables: Readonly<Record<string, string>>) => {
    const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\0`);
    mkdirSync(join(procfs, String(pid)), { recursive: true });
    writeFileSync(join(procfs, String(pid), 'environ'), text.join(''));
  };
  const addCgroup = (path: string, pids: readonly number[]) => {
    mkdirSync(join(cgroupfs, path), { recursive: true });
    writeFileSync(join(cgroupfs, path, 'cgroup.procs'), pids.map((pid) => `${pid}\n`).join(''));
  };
  return { procfs, cgroupfs, addProcess, addCgroup };
}

function run(t: TestContext, { procfs, cgroupfs }: ReturnType<typeof createMachine>, settings: object = {}) {
  return runProcessor(t, { sources: ['slurm'], slurm: { procfs, cgroupfs }, ...settings });
}

const job = {
  SLURM_JOB_ID: '123',
  SLURM_JOB_NAME: 'train = fast',
  SLURM_JOB_USER: 'ada',
  SLURM_JOB_ACCOUNT: 'physics',
  SLURM_JOB_PARTITION: 'gpu',
};

const names = {
  'slurm.job.name': 'train = fast',
  'slurm.job.user': 'ada',
  'slurm.job.account': 'physics',
  'slurm.job.partition': 'gpu',
};

test('workload_names names a job by the environment of its process', async (t) => {
  const machine = createMachine();
  machine.addProcess(7, job);
  const { name } = run(t, machine);
  assert.deepEqual(await name({ 'slurm.job.id': '123', 'process.pid': 7 }), names);
});

for (const [version, root] of [
  ['v2', ''],
  ['v1', 'memory'],
] as const) {
  test(`workload_names names a job by the processes of its cgroup, with cgroup ${version}`, async (t) => {
    const machine = createMachine();
    const path = '/system.slice/slurmstepd.scope/job_123';
    machine.addCgroup(`${root}${path}`, []);
    machine.addCgroup(`${root}${path}/step_0/slurm`, [6]);
    machine.addCgroup(`${root}${path}/step_0/user/task_0`, [7]);
    // Slurm's own process has the environment of the daemon.
    machine.addProcess(6, { PATH: '/bin' });
    machine.addProcess(7, job);
    const { name } = run(t, machine);
    assert.deepEqual(await name({ 'slurm.job.id': '123', 'linux.cgroup.path': `${path}/step_0` }), names);
  });
}

test('workload_names waits for the first task of a job whose cgroup already exists', async (t) => {
  const machine = createMachine();
  machine.addProcess(6, { PATH: '/bin' });
  const { name, next } = run(t, machine, { max_wait: '60s' });
  const named = name({ 'slurm.job.id': '123', 'process.pid': 6 });
  // The first lookup finds nothing.
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.equal(next.tables.length, 0);
  machine.addProcess(6, job);
  assert.deepEqual(await named, names);
});

test('workload_names takes no names from another job that started a process of this one', async (t) => {
  const machine = createMachine();
  machine.addProcess(7, job);
  const { name } = run(t, machine, { max_wait: '1ms' });
  assert.deepEqual(await name({ 'slurm.job.id': '124', 'process.pid': 7 }), {});
});

const isRoot = process.getuid?.() === 0;

test(
  'workload_names reports which capability is missing if environments may not be read',
  { skip: isRoot && 'root may read all' },
  async (t) => {
    const machine = createMachine();
    const { name, log } = run(t, { ...machine, procfs: '/proc' });
    assert.deepEqual(await name({ 'slurm.job.id': '123', 'process.pid': 1 }), {});
    assert.match(log.lines[1], /EACCES; CAP_SYS_PTRACE, for the environments of jobs: sudo setpriv/);
  },
);

test('workload_names mentions Slurm when the first job is seen, unless it is configured', async (t) => {
  const machine = createMachine();
  machine.addProcess(7, job);
  const { log, name } = run(t, machine, { sources: ['auto'] });
  const mentions = () => log.lines.filter((line) => line.includes('Slurm'));
  assert.deepEqual(mentions(), []);
  assert.deepEqual(await name({ 'slurm.job.id': '123', 'process.pid': 7 }), names);
  assert.deepEqual(mentions(), [`info: Looking up names in environments of Slurm jobs (${machine.procfs})`]);
});

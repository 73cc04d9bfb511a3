import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { nameUniquely } from '../../src/linux/bpf/ended-tasks.fixture.js';
import { skip } from '../../src/linux/bpf/real-kernel.fixture.js';
import { enterCgroup, makeCgroup } from '../../src/linux/cgroup/real-cgroups.fixture.js';
import { until } from '../../src/testing/until.js';
import { createBrief } from './brief-process.fixture.js';
import { factory } from './factory.js';
import { FakeMachine } from './fake-machine.fixture.js';

// Hybrid systems, on which version 2 has only the service that runs all containers.

test('ProcessScraper finds the container of a brief process by its cgroup of version 1', (t) => {
  const machine = new FakeMachine(t);
  for (const [pid, cgroup] of [
    [7, '/docker/a'],
    [8, '/docker/b'],
  ] as const) {
    machine.procfs.write(pid, { comm: `sh${pid}`, cgroup });
    machine.cpuNs.set(pid, 0);
    machine.cgroups.set(pid, { cgroupId: 0, cgroupV1Id: 10 * pid });
  }
  machine.scan();
  // The last one is in a container in which no process lives.
  for (const cgroupV1Id of [80, 70, 90])
    machine.brief.push(createBrief('cc', { cgroupV1Id, parentPid: 1000 }));
  const series = machine.scan().tables.flatMap((table) => table.series);
  const brief = series.filter(({ resource }) => resource.attributes['process.executable.name'] === 'cc');
  const cgroups = brief.map(({ resource }) => resource.attributes['process.linux.cgroup']);
  assert.deepEqual(cgroups, ['0::/docker/b', '0::/docker/a', undefined]);
});

test(
  'ProcessReceiver finds the container of brief processes that share a cgroup of version 2',
  { skip },
  async (t) => {
    const [first, unified] = [makeCgroup(t, 'cpuacct'), makeCgroup(t, 2)];
    if (typeof first === 'string' || typeof unified === 'string')
      return t.skip('needs cgroups of both versions');
    const ids = ['a', 'b'].map((digit) => digit.repeat(64));
    const start = async (id: string, script: string) => {
      const folder = join(first.folder, 'docker', id);
      mkdirSync(folder, { recursive: true });
      const shell = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      t.after(() => shell.kill('SIGKILL'));
      await once(shell, 'spawn');
      for (const each of [folder, unified.folder]) enterCgroup(each, shell.pid ?? 0);
      return shell;
    };
    const program = nameUniquely('/bin/true');
    const loop = `read x; i=0; while [ $i -lt 50 ]; do ${program}; i=$((i+1)); done; echo; read x`;
    const [, shell] = [await start(ids[0] ?? '', 'read x'), await start(ids[1] ?? '', loop)];
    const next = createTableCollector();
    const config = parseSettings(factory.schema, { collection_interval: '1h', cpu_time: 'ebpf' });
    const receiver = factory.create(config, createFakeContext(), next);
    t.after(() => receiver.shutdown());
    await receiver.start();
    await receiver.flush?.();
    shell.stdin.write('\n');
    await once(shell.stdout, 'data');
    const findContainers = () =>
      next.tables
        .flatMap(({ series }) => series.map(({ resource }) => resource.attributes))
        .filter((attributes) => attributes['process.executable.name'] === basename(program))
        .map((attributes) => attributes['container.id']);
    // The kernel reports an end only after a grace period.
    await until(async () => {
      await receiver.flush?.();
      return findContainers().length > 0;
    });
    assert.deepEqual([...new Set(findContainers())], [ids[1]]);
  },
);

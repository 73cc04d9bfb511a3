import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { schema } from './config.js';
import { factory } from './factory.js';
import { first, unified, write } from './fake-cgroups.fixture.js';
import { probe } from './probe.js';

const configOf = (settings: object) => parseSettings(schema, settings);

/** A procfs with these mounts. */
function createProcfs(...lines: readonly string[]): string {
  const procfs = createFolder();
  write(procfs, { 'self/mountinfo': lines.join('\n') });
  return procfs;
}

test('probe lists the hierarchies that it finds', () => {
  const folder = createFolder();
  write(folder, first);
  write(folder, Object.fromEntries(Object.entries(unified).map(([path, text]) => [`unified/${path}`, text])));
  const { available, found, remedies } = probe(configOf({ cgroupfs: folder }));
  assert.deepEqual([available, remedies], [true, []]);
  assert.match(
    found,
    new RegExp(`^cgroup2 at ${folder}/unified, .*cgroup \\(cpu,cpuacct\\) at ${folder}/cpu,cpuacct`, 'u'),
  );
});

test('probe has a remedy if no hierarchy is mounted', () => {
  const procfs = createProcfs('22 27 0:21 / /proc rw - proc proc rw');
  assert.deepEqual(probe(configOf({ procfs })).remedies, [
    {
      missing: `a mounted cgroup hierarchy in ${procfs}/self/mountinfo`,
      command: 'mount -t cgroup2 none /sys/fs/cgroup',
    },
  ]);
});

test('probe has remedies if a hierarchy cannot be read, CPU time is not mounted, or a container sees only itself', () => {
  const folder = createFolder();
  const unreadable = createProcfs('30 23 0:26 / /absent rw - cgroup2 cgroup rw');
  const { available, remedies } = probe(configOf({ procfs: unreadable }));
  assert.equal(available, false);
  assert.deepEqual(remedies, [{ missing: '/absent: ENOENT', command: 'sudo chmod a+rx /absent' }]);
  const inside = createProcfs(`30 23 0:26 /docker/ab ${folder} rw - cgroup cgroup rw,memory`);
  assert.deepEqual(
    probe(configOf({ procfs: inside })).remedies.map(({ missing }) => missing),
    ['CPU time: no hierarchy of the controller cpuacct is mounted', 'the cgroups outside this container'],
  );
});

test('factory cannot start without a hierarchy, and logs the remedy', async () => {
  const config = configOf({ procfs: createProcfs() });
  const receiver = factory.create(config, createFakeContext(), createTableCollector());
  await assert.rejects(async () => receiver.start(), /mount -t cgroup2 none \/sys\/fs\/cgroup/u);
  await receiver.shutdown();
});

test('factory rejects settings without a metric', () => {
  const metrics = { cpu: false, memory: false, io: false, pids: false, pressure: false };
  assert.deepEqual(factory.check?.(configOf({ metrics })), [
    'metrics: expected at least one that is on, found none',
  ]);
});

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { findHierarchies, findPerfHierarchy, folderOf, joinRoot } from './hierarchies.js';

/** The hierarchies of a machine with these mounts. */
function findOf(...mounts: readonly string[]) {
  const procfs = createFolder();
  mkdirSync(join(procfs, 'self'));
  const lines = ['22 27 0:21 / /proc rw - proc proc rw', ...mounts];
  writeFileSync(join(procfs, 'self/mountinfo'), lines.join('\n'));
  return findHierarchies({ procfs, cgroupfs: '' });
}

const unified = { version: 2, folder: '/sys/fs/cgroup', root: '/', controllers: [] };

test('findHierarchies finds the one of version 2', () => {
  const found = findOf('30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate');
  assert.deepEqual(found, [unified]);
});

test('findHierarchies finds those of version 1, and version 2 first on a hybrid system', () => {
  const found = findOf(
    '31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd',
    '34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
  );
  assert.deepEqual(found, [
    { ...unified, folder: '/sys/fs/cgroup/unified' },
    { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct', root: '/', controllers: ['cpu', 'cpuacct'] },
    { version: 1, folder: '/sys/fs/cgroup/systemd', root: '/', controllers: ['name=systemd'] },
  ]);
});

test('findHierarchies takes the mount that shows most, when a container has its own and that of the host', () => {
  const own = '30 23 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup ro';
  const host = '31 23 0:26 /../../.. /host/sys/fs/cgroup ro - cgroup2 cgroup ro';
  for (const found of [findOf(own, host), findOf(host, own)]) {
    assert.deepEqual(found, [{ ...unified, folder: '/host/sys/fs/cgroup', root: '/../../..' }]);
  }
  const bound = '32 23 0:29 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup ro,memory';
  assert.deepEqual(findOf(bound)[0]?.root, '/docker/ab');
});

test('findHierarchies looks into a folder, when it is given one', () => {
  const folder = createFolder();
  for (const name of ['cpu,cpuacct', 'memory', 'unified', 'no-hierarchy']) mkdirSync(join(folder, name));
  for (const name of ['cpu,cpuacct', 'memory', 'unified'])
    writeFileSync(join(folder, name, 'cgroup.procs'), '');
  writeFileSync(join(folder, 'unified/cgroup.controllers'), '');
  const kinds = findHierarchies({ procfs: '/proc', cgroupfs: folder }).map(({ version, controllers }) =>
    [version, ...controllers].join(' '),
  );
  assert.deepEqual(kinds.toSorted(), ['1 cpu cpuacct', '1 memory', '2']);
  const second = findHierarchies({ procfs: '/proc', cgroupfs: join(folder, 'unified') });
  assert.deepEqual(second, [{ ...unified, folder: join(folder, 'unified') }]);
});

test('findHierarchies finds none, when there are no mounts to read', () => {
  assert.deepEqual(findHierarchies({ procfs: createFolder(), cgroupfs: '' }), []);
  assert.deepEqual(findHierarchies({ procfs: '/proc', cgroupfs: '/absent' }), []);
});

test('findPerfHierarchy prefers the hierarchy that has perf_event', () => {
  const second = '30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw';
  const first = '31 23 0:27 / /cg/perf rw - cgroup cgroup rw,perf_event';
  assert.equal(findPerfHierarchy(findOf(second))?.folder, '/sys/fs/cgroup/unified');
  assert.equal(findPerfHierarchy(findOf(second, first))?.folder, '/cg/perf');
  assert.equal(findPerfHierarchy([]), undefined);
});

test('joinRoot and folderOf name a cgroup as the kernel does, and its folder', () => {
  const hierarchy = { version: 2, folder: '/sys/fs/cgroup', root: '/../..', controllers: [] } as const;
  assert.equal(joinRoot(hierarchy, '/system.slice'), '/../../system.slice');
  assert.equal(joinRoot(hierarchy, '/'), '/../..');
  assert.equal(joinRoot({ ...hierarchy, root: '/' }, '/a'), '/a');
  assert.equal(folderOf(hierarchy, '/'), '/sys/fs/cgroup');
  assert.equal(folderOf(hierarchy, '/a/b'), '/sys/fs/cgroup/a/b');
});

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findCgroupRoot, findCgroups } from './find-cgroups.js';

function createFolder(t: { after(callback: () => void): void }): string {
  const root = mkdtempSync(join(tmpdir(), 'joulemetry-cgroups-'));
  t.after(() => rmSync(root, { recursive: true }));
  return root;
}

test('findCgroups finds what paths and patterns select', (t) => {
  const root = createFolder(t);
  for (const path of ['system.slice/ssh.service', 'system.slice/cron.service', 'user.slice/a+b', 'files']) {
    mkdirSync(join(root, path), { recursive: true });
    if (path !== 'files') writeFileSync(join(root, path, 'cgroup.procs'), '');
  }
  for (const path of ['system.slice', 'user.slice']) writeFileSync(join(root, path, 'cgroup.procs'), '');
  assert.deepEqual(findCgroups(['/system.slice/ssh.service', 'absent'], root), ['/system.slice/ssh.service']);
  assert.deepEqual(findCgroups(['/*.slice/*'], root), [
    '/system.slice/cron.service',
    '/system.slice/ssh.service',
    '/user.slice/a+b',
  ]);
  assert.deepEqual(findCgroups(['/*', '/user.slice/a+*'], root), [
    '/system.slice',
    '/user.slice',
    '/user.slice/a+b',
  ]);
});

test('findCgroupRoot prefers the hierarchy that has perf_event', (t) => {
  const procfs = createFolder(t);
  mkdirSync(join(procfs, 'self'));
  const lines = ['proc /proc proc rw 0 0', 'cgroup2 /sys/fs/cgroup\\040x cgroup2 rw 0 0'];
  const mounts = join(procfs, 'self/mounts');
  writeFileSync(mounts, lines.join('\n'));
  assert.equal(findCgroupRoot(procfs), '/sys/fs/cgroup x');
  writeFileSync(mounts, [...lines, 'cgroup /cg/perf cgroup rw,perf_event 0 0'].join('\n'));
  assert.equal(findCgroupRoot(procfs), '/cg/perf');
  assert.equal(findCgroupRoot(join(procfs, 'absent')), undefined);
});

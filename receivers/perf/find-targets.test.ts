import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AbsentTargets, findCgroups, type FoundTarget } from './find-targets.js';
import { parseSettings } from '../../src/config/settings.js';
import { createLogCollector } from '../../src/contract/fakes.js';
import { schema } from './config.js';

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

const processTarget = (pid: number): FoundTarget => ({
  key: `process ${pid} 1`,
  name: `process ${pid} (sh)`,
  target: { kind: 'process', pid },
  resource: { attributes: {} },
});

test('AbsentTargets warns once of what is not there at first, and says when it came', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'joulemetry-perf-'));
  t.after(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'system.slice'));
  const config = parseSettings(schema, {
    processes: { pids: [7, 8] },
    cgroups: ['system.slice', 'machine.slice/vm-*'],
    cgroupfs: root,
  });
  const log = createLogCollector();
  const absent = new AbsentTargets(config, log);
  absent.update([processTarget(7)]);
  absent.update([]);
  const later = 'it is counted from when it is there';
  assert.deepEqual(log.lines.splice(0), [
    `warn: Cannot find process 8: ${later}`,
    `warn: Cannot find a cgroup "machine.slice/vm-*" in ${root}: ${later}`,
  ]);
  mkdirSync(join(root, 'machine.slice/vm-1'), { recursive: true });
  writeFileSync(join(root, 'machine.slice/vm-1/cgroup.procs'), '');
  absent.update([processTarget(8)]);
  absent.update([]);
  assert.deepEqual(log.lines, [
    'info: Found process 8',
    `info: Found a cgroup "machine.slice/vm-*" in ${root}`,
  ]);
});

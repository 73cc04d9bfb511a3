import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { schema } from './config.js';
import { AbsentTargets } from './find-targets.js';
import type { FoundTarget } from './plan.js';

const processTarget = (pid: number): FoundTarget => ({
  key: `process ${pid} 1`,
  name: `process ${pid} (sh)`,
  target: { kind: 'process', pid },
  resource: { attributes: {} },
});

const cgroupTarget = (path: string): FoundTarget => ({
  key: path,
  name: path,
  target: { kind: 'cgroup', folder: path },
  resource: { attributes: { 'linux.cgroup.path': path } },
});

test('AbsentTargets warns once about targets that do not exist at first, and reports when they appear', () => {
  const config = parseSettings(schema, {
    processes: { pids: [7, 8] },
    cgroups: ['system.slice', 'machine.slice/vm-*'],
  });
  const log = createLogCollector();
  const absent = new AbsentTargets(config, log, '/sys/fs/cgroup');
  absent.update([processTarget(7), cgroupTarget('/system.slice')]);
  absent.update([]);
  const later = 'expected it at the start, found nothing; it is counted as soon as it appears';
  assert.deepEqual(log.lines.splice(0), [
    `warn: Cannot count process 8: ${later}`,
    `warn: Cannot count a cgroup "machine.slice/vm-*" in /sys/fs/cgroup: ${later}`,
  ]);
  absent.update([processTarget(8), cgroupTarget('/machine.slice/vm-1')]);
  absent.update([]);
  assert.deepEqual(log.lines, [
    'info: Found process 8',
    'info: Found a cgroup "machine.slice/vm-*" in /sys/fs/cgroup',
  ]);
});

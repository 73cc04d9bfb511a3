import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcesses } from './find-processes.js';

interface FakeProcess {
  readonly comm: string;
  readonly exe?: string;
  readonly state?: string;
}

function createProcfs(
  t: { after(callback: () => void): void },
  processes: Readonly<Record<number, FakeProcess>>,
) {
  const root = mkdtempSync(join(tmpdir(), 'joulemetry-procfs-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [pid, { comm, exe, state = 'S' }] of Object.entries(processes)) {
    mkdirSync(join(root, pid));
    writeFileSync(join(root, pid, 'comm'), `${comm}\n`);
    const fields = ['1', ...Array.from({ length: 17 }, () => '0'), '777'];
    writeFileSync(join(root, pid, 'stat'), `${pid} (${comm}) ${state} ${fields.join(' ')}\n`);
    if (exe !== undefined) symlinkSync(exe, join(root, pid, 'exe'));
  }
  return root;
}

test('findProcesses finds processes by number, by name and by path', (t) => {
  const procfs = createProcfs(t, {
    7: { comm: 'a) b (', exe: '/usr/bin/ab' },
    8: { comm: 'postgres', exe: '/usr/lib/postgresql/bin/postgres (deleted)' },
    9: { comm: 'with-a-very-lon', exe: '/opt/with-a-very-long-name' },
    10: { comm: 'kworker' },
  });
  const find = (pids: readonly number[], names: readonly string[]) =>
    findProcesses({ pids, names }, procfs).map(({ pid }) => pid);
  assert.deepEqual(find([7, 99], []), [7]);
  assert.deepEqual(find([], ['postgres']), [8]);
  assert.deepEqual(find([8], ['/usr/lib/postgresql/bin/postgres', 'with-a-very-long-name']), [8, 9]);
  assert.deepEqual(find([], ['with-a-very-lon', 'kworker']), [9, 10]);
  assert.deepEqual(findProcesses({ pids: [7], names: [] }, procfs), [
    { pid: 7, parentPid: 1, name: 'a) b (', startTicks: 777 },
  ]);
});

test('findProcesses leaves out a process that has ended but was not waited for', (t) => {
  const procfs = createProcfs(t, { 7: { comm: 'gone', state: 'Z' } });
  assert.deepEqual(findProcesses({ pids: [7], names: ['gone'] }, procfs), []);
});

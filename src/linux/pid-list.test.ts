import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { openPidList } from './pid-list.js';

function listOnce(procfs: string): number[] {
  const list = openPidList(procfs);
  try {
    return list.read().toSorted((a, b) => a - b);
  } finally {
    list.close();
  }
}

test('openPidList finds processes and nothing else, in a folder with other names', () => {
  const folder = createFolder();
  for (const name of ['1', '42', '4194303', 'self', '7x', 'sys']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'stat'), '');
  assert.deepEqual(listOnce(folder), [1, 42, 4_194_303]);
});

test('openPidList finds every process, when they fill more than one buffer', () => {
  const folder = createFolder();
  for (let pid = 1; pid <= 5000; pid++) mkdirSync(join(folder, String(pid)));
  assert.deepEqual(
    listOnce(folder),
    Array.from({ length: 5000 }, (_, index) => index + 1),
  );
});

test('PidList sees who came and who went, when it is read again', async () => {
  const list = openPidList('/proc');
  try {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    const { pid } = child;
    assert.ok(pid !== undefined && list.read().includes(pid));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    assert.ok(!list.read().includes(pid));
    assert.ok(list.read().includes(process.pid));
  } finally {
    list.close();
  }
});

test('openPidList throws, when the folder is not there', () => {
  assert.throws(() => openPidList('/proc/self/absent').read(), /ENOENT/);
});

function readNames(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

test('openPidList agrees with a list of names, on this machine', () => {
  const before = new Set(readNames());
  const listed = new Set(listOnce('/proc'));
  // Others may come and go in between: who is here before and after was here all the time.
  const here = readNames().filter((name) => before.has(name));
  assert.deepEqual(
    here.filter((name) => !listed.has(Number(name))),
    [],
  );
});

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { until } from '../src/testing/until.js';
import { findPorts, listTree, readTreeCpuMs, readTreeMemory } from './process-tree.js';

function startShell(t: TestContext, script: string): { child: ChildProcess; pid: number } {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(async () => {
    child.stdin?.end();
    if (child.exitCode === null) await once(child, 'exit');
  });
  return { child, pid: child.pid ?? assert.fail() };
}

test('listTree finds children and their children, and readTreeMemory sums their memory', async (t) => {
  const { pid } = startShell(t, 'sh -c "cat; :"; :');
  await until(() => listTree(pid).length === 3);
  const { privateBytes, residentBytes } = readTreeMemory(pid);
  assert.ok(privateBytes > 0 && privateBytes < residentBytes);
});

test('readTreeCpuMs counts children that have ended', async (t) => {
  const { pid } = startShell(t, 'sh -c "i=0; while [ \\$i -lt 300000 ]; do i=\\$((i+1)); done"; cat');
  await until(() => readTreeCpuMs(pid) > 0);
  // The shell whose time counts has exited and cat, which uses no CPU time, has started.
  await until(() => listTree(pid).length === 2 && readTreeCpuMs(pid) >= 50);
});

test('findPorts finds the ports of a process, not those of other processes', async (t) => {
  const program = `const server = require('node:net').createServer().listen(0, 'localhost');
    process.stdin.on('end', () => process.exit()).resume();`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(async () => {
    child.stdin.end();
    await once(child, 'exit');
  });
  await until(() => findPorts(child.pid ?? NaN).length === 1);
  assert.deepEqual(findPorts(startShell(t, 'cat').pid), []);
});

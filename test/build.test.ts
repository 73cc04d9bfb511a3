import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../src/testing/temporary-folder.fixture.js';
import { until } from '../src/testing/until.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** An install that does not exit and has started another process. */
const endlessNpm = `#!/bin/sh
sleep 1000 &
echo "$$ $!" >pids.new
mv pids.new pids
wait
`;

/** A clone without installed dependencies; its `npm` is the endless one. */
function createClone(): string {
  const clone = createFolder();
  for (const name of ['build.mjs', 'run-command.mjs', 'package-lock.json']) {
    copyFileSync(join(repository, name), join(clone, name));
  }
  mkdirSync(join(clone, 'bin'));
  writeFileSync(join(clone, 'bin', 'npm'), endlessNpm);
  chmodSync(join(clone, 'bin', 'npm'), 0o755);
  return clone;
}

const started = new Set<ChildProcess>();
after(() => {
  for (const { pid = 0 } of started) if (isGroupRunning(pid)) process.kill(-pid, 'SIGKILL');
});

/** The behaviour of `npm start`: it runs a shell, and forwards SIGINT and SIGTERM to it. */
const npmStart = `
  const { spawn } = require('node:child_process');
  const shell = spawn('sh', ['-c', 'node build.mjs && echo built'], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => shell.kill(signal));
  shell.on('exit', () => process.exit(1));
`;

/** @returns the leader of a new process group, and the processes of the install that it waits for */
async function startInstall(): Promise<{ npm: ChildProcess; pid: number; pids: readonly number[] }> {
  const clone = createClone();
  const path = `${join(clone, 'bin')}:${join(process.execPath, '..')}:${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH: path, npm_lifecycle_event: 'start' };
  const npm = spawn(process.execPath, ['-e', npmStart], {
    cwd: clone,
    env,
    detached: true,
    stdio: 'ignore',
  });
  started.add(npm);
  const file = join(clone, 'pids');
  await until(() => existsSync(file));
  assert.ok(npm.pid);
  return { npm, pid: npm.pid, pids: readFileSync(file, 'utf8').trim().split(' ').map(Number) };
}

/** Whether a process runs, in that process group if one is given. A zombie that is not yet reaped does not run. */
function isRunning(pid: number, group?: number): boolean {
  try {
    const [, state, found] = /\) (\S) \d+ (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    return state !== 'Z' && (group === undefined || found === String(group));
  } catch {
    return false;
  }
}

const cases: readonly (readonly [NodeJS.Signals, 'npm' | 'the process group'])[] = [
  ['SIGINT', 'the process group'],
  ['SIGTERM', 'the process group'],
  ['SIGHUP', 'the process group'],
  ['SIGTERM', 'npm'],
  ['SIGHUP', 'npm'],
  ['SIGKILL', 'npm'],
];

for (const [signal, target] of cases) {
  test(`an install and its descendants end when ${target} gets ${signal}`, async () => {
    const { npm, pid, pids } = await startInstall();
    assert.ok(pids.every((each) => isRunning(each)));
    const ended = once(npm, 'exit');
    process.kill(target === 'npm' ? pid : -pid, signal);
    await ended;
    await until(() => !pids.some((each) => isRunning(each)));
    // Neither the shell nor the build still runs.
    await until(() => !isGroupRunning(pid));
  });
}

function isGroupRunning(group: number): boolean {
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isRunning(Number(name), group));
}

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { skipWithout } from '../testing/needs.fixture.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { startHeld } from './held-child.js';
import { pageSize } from './libc.js';

const moduleUrl = new URL('held-child.js', import.meta.url).href;

function createFile(): string {
  const folder = createFolder();
  return join(folder, 'file');
}

function stateOf(pid: number): string {
  return /^.*\) (\w)/s.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
}

function hasEnded(pid: number): boolean {
  try {
    return stateOf(pid) === 'Z';
  } catch {
    return true;
  }
}

/** A Node program that starts something by `startHeld`, as a program of its own. */
function startNode(script: string, env: NodeJS.ProcessEnv = process.env) {
  const source = `import { startHeld } from ${JSON.stringify(moduleUrl)};\n${script}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source], { env });
}

test('startHeld starts nothing of the program before it is released', async () => {
  const file = createFile();
  const child = await startHeld('sh', ['-c', 'echo $$ > "$0"; exit 3', file]);
  assert.equal(readlinkSync(`/proc/${child.pid}/exe`), process.execPath);
  assert.equal(existsSync(file), false);
  child.release();
  assert.deepEqual(await child.ended, { exitCode: 3, signal: undefined });
  assert.equal(readFileSync(file, 'utf8'), `${child.pid}\n`);
});

test('startHeld gives 128 + n, when signal n kills the program', async () => {
  const child = await startHeld('sh', ['-c', 'kill -USR1 $$; sleep 9']);
  child.release();
  assert.deepEqual(await child.ended, { exitCode: 138, signal: 'SIGUSR1' });
});

test('startHeld leaves a process that can be killed before the release', async () => {
  const child = await startHeld('sleep', ['99']);
  child.signal('SIGKILL');
  assert.deepEqual(await child.ended, { exitCode: 137, signal: 'SIGKILL' });
  assert.equal(existsSync(`/proc/${child.pid}`), false);
});

test('startHeld leaves no waiting process behind, when this process exits before the release', async () => {
  const parent = startNode(`console.log((await startHeld('sleep', ['99'])).pid); process.exit()`);
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  assert.ok(pid > 0);
  await until(() => hasEnded(pid));
});

test('startHeld rejects with the reason, when the kernel does not execute the program', async () => {
  const file = createFile();
  writeFileSync(file, 'echo no interpreter', { mode: 0o755 });
  for (const [program, args, code] of [
    [file, [], 'ENOEXEC'],
    ['/absent/program', [], 'ENOENT'],
    // MAX_ARG_STRLEN of include/uapi/linux/binfmts.h, with the final 0.
    ['true', ['x'.repeat(32 * pageSize)], 'E2BIG'],
  ] as const) {
    const child = await startHeld(program, args);
    child.release();
    await assert.rejects(child.ended, { name: 'ExecError', code });
  }
});

test('startHeld leaves nothing running, when this process is killed before the release', async () => {
  const parent = startNode(
    `console.log((await startHeld('sleep', ['99'])).pid); setInterval(() => {}, 1000)`,
  );
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  parent.kill('SIGKILL');
  await until(() => hasEnded(Number(line.toString())));
});

test('startHeld passes on streams, arguments and the folder', async () => {
  const parent = startNode(`
    const child = await startHeld('sh', ['-c', 'cat; echo "$1 $#"; pwd; echo error >&2', 'sh', 'a b', '', '*']);
    child.release();
    await child.ended;
  `);
  parent.stdin.end('input\n');
  const [output, errors] = await Promise.all([text(parent.stdout), text(parent.stderr)]);
  assert.equal(output, `input\na b 3\n${process.cwd()}\n`);
  assert.equal(errors, 'error\n');
});

const hasBash = existsSync('/bin/bash') ? false : 'no /bin/bash, and dash drops such names';

test('startHeld passes on environment variables that no shell can name', { skip: hasBash }, async () => {
  const env = { PATH: process.env['PATH'], PWD: '/', 'a-b': 'c d', 'BASH_FUNC_f%%': '() {  echo from f\n}' };
  const parent = startNode(
    `const child = await startHeld('bash', ['-c', 'f; tr "\\\\0" "\\\\n" < /proc/$$/environ | grep a-b']);
     child.release();
     await child.ended;`,
    env,
  );
  assert.equal(await text(parent.stdout), 'from f\na-b=c d\n');
});

test('startHeld gives the limit of open files that the user had', async (t) => {
  const hard = Number(spawnSync('sh', ['-c', 'ulimit -Hn']).stdout.toString());
  if (!(hard > 300)) return t.skip(`the hard limit of open files is ${hard}, wanted more than 300`);
  const script = `const c = await startHeld('sh', ['-c', 'ulimit -Sn']); c.release(); await c.ended`;
  const source = `import { startHeld } from ${JSON.stringify(moduleUrl)};\n${script}`;
  // The last command of a shell may replace it: then no process would know the limit that the shell had.
  const shell = spawn('sh', [
    '-c',
    'ulimit -Sn 300; "$0" --input-type=module -e "$1"; exit',
    process.execPath,
    source,
  ]);
  assert.equal(await text(shell.stdout), '300\n');
});

// Not the whole of root: who has that has it again after every execve.
const grant = ['--inh-caps=+perfmon', '--ambient-caps=+perfmon', '--securebits=+noroot'];
const cannotGrant = skipWithout(['setpriv', ...grant]);

test('startHeld passes on ambient capabilities, as env does', { skip: cannotGrant }, async () => {
  const source = `import { startHeld } from ${JSON.stringify(moduleUrl)};
    const child = await startHeld('grep', ['CapAmb', '/proc/self/status']);
    child.release();
    await child.ended;`;
  const command = [...grant, process.execPath, '--input-type=module', '-e', source];
  assert.match(await text(spawn('setpriv', command).stdout), /^CapAmb:\t0+4000000000\n$/);
});

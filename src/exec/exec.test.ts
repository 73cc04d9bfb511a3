import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { exec, main, parse, type Report } from './run-exec.fixture.js';

const launcher = fileURLToPath(new URL('../../../bin/joulemetry', import.meta.url));

function start(args: readonly string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  return spawn(process.execPath, [main, 'exec', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
}

const withoutProc = ['-m', 'sh', '-c', 'mount --make-rprivate / && umount -l /proc && exec "$@"', 'sh'];
const cannotUnmount =
  spawnSync('unshare', [...withoutProc, 'true']).status === 0 ? false : 'cannot unmount /proc for itself';

test('exec passes on streams and the exit code, and says on stderr what the command took', () => {
  const { status, stdout, stderr } = exec(['--', 'sh', '-c', 'cat; echo own >&2; exit 7'], {
    input: 'hello\n',
  });
  assert.equal(status, 7);
  assert.equal(stdout, 'hello\n');
  assert.match(stderr, /^own\n\njoulemetry exec: sh -c "cat; echo own >&2; exit 7"\n/);
  assert.match(stderr, /^ {2}wall time .*exit code 7$/m);
  assert.match(stderr, /^ {2}command +[\d.]+ \S*J +[\d.]+ %/m);
});

test('exec exits as shells do, when the command is killed, is not there or may not be executed', () => {
  assert.deepEqual(exec(['-q', 'sh', '-c', 'kill -TERM $$; sleep 9']), {
    status: 143,
    stdout: '',
    stderr: '',
  });
  const absent = exec(['absent-command']);
  assert.equal(absent.status, 127);
  assert.equal(
    absent.stderr,
    'joulemetry: Cannot run "absent-command": expected a program in PATH, found none\n',
  );
  assert.equal(exec([main.replace('main.js', '')]).status, 126);
});

// Of the commands, the first two have a slash and the third is looked for in PATH.
const runOddNames = `
  folder="$1/$(printf 'f\\377')" name="$(printf 'p\\376')"
  shift
  mkdir "$folder"
  printf '#!/bin/sh\\necho "$1"\\n' >"$folder/$name"
  chmod +x "$folder/$name"
  "$@" "$folder/$name" absolute
  cd "$folder"
  "$@" "./$name" relative
  PATH="$folder:$PATH"
  "$@" "$name" name`;

test('exec finds a program, when its name and its folder are not UTF-8', () => {
  for (const prefix of [
    [process.execPath, main],
    ['sh', launcher],
  ]) {
    const script = ['-c', runOddNames, 'sh', createFolder(), ...prefix, 'exec', '-q'];
    const { stdout, stderr } = spawnSync('sh', script, { encoding: 'utf8' });
    assert.deepEqual([stdout, stderr], ['absolute\nrelative\nname\n', '']);
  }
});

test('exec exits with 2 and runs nothing, when its own options or settings are wrong', () => {
  const file = join(createFolder(), 'file');
  const wrong = exec(['--set', 'receivers.command.intervall=1s', 'touch', file]);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /receivers\.command\.intervall: unknown setting/);
  assert.equal(exec(['--interval', 'soon', 'touch', file]).status, 2);
  assert.equal(exec([]).status, 2);
  assert.throws(() => readFileSync(file), /ENOENT/);
});

test('exec passes on signals to the command and ends with it', async () => {
  const script =
    'trap "echo usr1" USR1; trap "echo term; exit 9" TERM; echo ready; while :; do sleep 0.02; done';
  const child = start(['-q', 'sh', '-c', script]);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output === 'ready\n') child.kill('SIGUSR1');
    if (output === 'ready\nusr1\n') child.kill('SIGTERM');
  });
  // Not exit, after which there may be more to read.
  const [code] = await once(child, 'close');
  assert.equal(output, 'ready\nusr1\nterm\n');
  assert.equal(code, 9);
});

/** Waits until exec has set its signal handlers: SIGUSR2 is one that Node does not catch by itself. */
async function waitForSignalHandler(pid: number): Promise<void> {
  const catchesSignals = () => {
    const [, caught = ''] =
      /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (BigInt(`0x${caught}`) & (1n << BigInt(constants.signals.SIGUSR2 - 1))) !== 0n;
  };
  while (!catchesSignals()) await setTimeout(10);
}

test('exec runs nothing, when it is interrupted before the command began', async () => {
  const file = join(createFolder(), 'file');
  const child = spawn(process.execPath, [main, 'exec', '--baseline', '1m', 'touch', file]);
  await waitForSignalHandler(child.pid ?? 0);
  child.kill('SIGINT');
  const [[code], errors] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
  assert.equal(code, 130);
  assert.equal(errors, 'joulemetry: Interrupted by SIGINT\n');
  assert.throws(() => readFileSync(file), /ENOENT/);
});

test('exec reports why it cannot measure, where /proc is not mounted', { skip: cannotUnmount }, () => {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [...withoutProc, process.execPath, main, 'exec', 'true'],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stdout], [1, '']);
  assert.equal(
    stderr,
    'Cannot measure "true": expected procfs at /proc, found none; mount -t proc proc /proc\n',
  );
});

test('exec sends what it measures to the exporters that a file names', () => {
  const file = join(createFolder(), 'exec.yaml');
  writeFileSync(file, 'exporters:\n  debug:\n    verbosity: detailed\n');
  const { status, stderr } = exec(['-c', file, 'sleep', '0.1']);
  assert.equal(status, 0);
  assert.match(stderr, /process\.cpu\.time/);
  assert.match(stderr, /joulemetry exec: sleep 0\.1/);
});

function mean({ statistics }: Report): number {
  return statistics?.['wall_time']?.['mean_s'] ?? NaN;
}

test('exec compares commands that it runs in turn, every second round in reverse order', () => {
  const folder = createFolder();
  const note = (name: string) => ['sh', '-c', `echo ${name} >> "$0"`, join(folder, 'order')];
  const commands = [...note('a'), '--vs', ...note('b'), '--vs', ...note('c')];
  const { status, stdout, stderr } = exec([
    '--compare',
    '-r',
    '3',
    '--baseline',
    '0',
    '--json',
    '--',
    ...commands,
  ]);
  assert.equal(status, 0);
  const order = readFileSync(join(folder, 'order'), 'utf8').replaceAll('\n', '');
  assert.equal(order, 'abccbaabccba');
  const report = parse(stdout) as Report & {
    readonly compared: readonly (Report & {
      readonly differences: { readonly wall_time: Record<string, number> };
    })[];
  };
  assert.deepEqual(
    [report, ...report.compared].map(({ runs }) => runs.length),
    [3, 3, 3],
  );
  for (const one of report.compared) {
    const difference = mean(one) - mean(report);
    assert.equal(one.differences.wall_time['difference_s']?.toFixed(9), difference.toFixed(9));
  }
  assert.equal(stderr.match(/, compared with sh -c/g)?.length, 2);
});

test('exec stops a comparison when a command fails, names it and exits with its code', () => {
  const { status, stdout, stderr } = exec(['--compare', '-r', '2', '--json', '--', 'true', '--vs', 'false']);
  assert.equal(status, 1);
  const report = parse(stdout) as Report & { readonly compared: readonly Report[] };
  assert.deepEqual(
    [report, ...report.compared].map(({ runs }) => runs.map((run) => run.exit_code)),
    [[0], [1]],
  );
  assert.match(stderr, /Stopped after the warm-up run, which is reported: "false" ended with exit code 1/);
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.js', import.meta.url));

/** A command line of which one output, 1 or 2, goes to a disk that is full. */
function runOntoFullDisk(args: readonly string[], output: 1 | 2) {
  const full = openSync('/dev/full', 'w');
  try {
    const stdio = [1, 2].map((fd) => (fd === output ? full : 'pipe'));
    return spawnSync(process.execPath, [main, ...args], { stdio: ['ignore', ...stdio], encoding: 'utf8' });
  } finally {
    closeSync(full);
  }
}

test('runCommandLine fails, when its result cannot be written', () => {
  const { status, stderr } = runOntoFullDisk(['--version'], 1);
  assert.equal(status, 1);
  assert.match(stderr, /^Cannot write to stdout: ENOSPC[^\n]*\n$/);
});

test('runCommandLine does its work, when only its messages cannot be written', () => {
  assert.equal(runOntoFullDisk(['rnu'], 2).status, 2);
});

const run = (args: readonly string[]) => spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });

const commands = 'run exec validate components print-config doctor simulate test-component'.split(' ');

test('runCommandLine prints the help of a command, wherever among its options it is asked for', () => {
  for (const name of commands) {
    const helps = [
      ['help', name],
      ['-h', name],
      [name, '-h'],
      [name, '--wrong', '--help'],
      [name, '-c', 'x', '-h'],
    ];
    for (const args of helps) {
      const { status, stdout, stderr } = run(args);
      assert.deepEqual([status, stderr], [0, ''], args.join(' '));
      assert.ok(stdout.startsWith(`Usage: joulemetry ${name === 'run' ? '[run]' : name}`), stdout);
    }
  }
  assert.match(run(['-c', 'x', '--help']).stdout, /^Usage: joulemetry \[run\]/);
  assert.match(run(['--help', '--json']).stdout, /^Commands:$/m);
});

test('runCommandLine leaves the help of a command of the user to that command', () => {
  assert.equal(run(['exec', '-q', 'echo', '--help', '-h']).stdout, '--help -h\n');
  assert.equal(run(['exec', '-q', '--', 'echo', '-h']).stdout, '-h\n');
});

const drives = (text: string) => ['\u001b', '\u009b'].some((character) => text.includes(character));

test('runCommandLine lets no text of the command line drive the terminal', () => {
  const wrong = 'x\u001b[31m\u009b2J\nb';
  for (const args of [
    [wrong],
    ['help', wrong],
    ['run', '--set', `${wrong}=1`],
    ['exec', wrong],
    ['exec', `./${wrong}`],
  ]) {
    const { stderr } = run(args);
    assert.match(stderr, /x\\x1b\[31m\\x9b2J/);
    assert.ok(!drives(stderr), JSON.stringify(stderr));
  }
  assert.ok(!drives(run(['exec', '--', 'echo', wrong]).stderr));
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { hasControls } from '../component/output.js';

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

const commands =
  'run exec validate components print-config doctor simulate calibrate convert audit test-component'.split(
    ' ',
  );

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

test('runCommandLine prints help that fits a terminal of 80 columns', () => {
  for (const args of [['--help'], ...commands.map((name) => ['help', name])]) {
    const lines = run(args).stdout.split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
      args.join(' '),
    );
  }
});

test('runCommandLine leaves the help of a command of the user to that command', () => {
  assert.equal(run(['exec', '-q', 'echo', '--help', '-h']).stdout, '--help -h\n');
  assert.equal(run(['exec', '-q', '--', 'echo', '-h']).stdout, '-h\n');
});

const isUnsafe = (text: string) => hasControls(text.replaceAll('\n', ''));

test('runCommandLine lets no text of the command line drive the terminal, or look like a message of its own', () => {
  const wrong = 'x\u001b[31m\u009b2J\u202e\nb';
  for (const args of [
    [wrong],
    ['help', wrong],
    ['run', '--set', `${wrong}=1`],
    ['exec', wrong],
    ['exec', `./${wrong}`],
    ['exec', '-e', wrong, 'true'],
    ['exec', '-o', `/absent/${wrong}`, 'true'],
    ['exec', `--${wrong}`],
    ['validate', '-c', wrong],
    ['validate', wrong],
    ['simulate', '--fault', wrong],
    ['print-config', '--format', wrong],
  ]) {
    const { stderr } = run(args);
    assert.match(stderr, /^[^\n]*x\\(?:x|u00)1b\[31m\\x9b2J\\u202e\\nb[^\n]*\n$/);
    assert.ok(!isUnsafe(stderr), JSON.stringify(stderr));
  }
  assert.ok(!isUnsafe(run(['exec', '--', 'true', wrong]).stderr));
  const json = run(['exec', '-q', '--json', '-', 'true', wrong]).stdout;
  assert.ok(!isUnsafe(json));
  assert.deepEqual((JSON.parse(json) as { command: unknown }).command, ['true', wrong]);
});

test('print-config prints text as it is, in a form that does not drive the terminal', () => {
  const odd = 'a\u001b[31m\u009b2J\u202eb\nc';
  const setting = `service.telemetry.resource.x=${JSON.stringify(odd)}`;
  for (const [format, read] of [
    ['yaml', (text: string): unknown => parse(text)],
    ['json', (text: string): unknown => JSON.parse(text)],
  ] as const) {
    const { stdout, stderr } = run(['print-config', '--set', setting, '--format', format]);
    assert.deepEqual([stderr, isUnsafe(stdout)], ['', false]);
    const printed = read(stdout) as { service: { telemetry: { resource: unknown } } };
    assert.deepEqual(printed.service.telemetry.resource, { x: odd });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExecOptions } from './options.js';

test('parseExecOptions leaves the options of the command to the command', () => {
  const { program, args, json, isQuiet } = parseExecOptions(['-q', '--json', '-', 'ls', '-q', '--json', 'x']);
  assert.deepEqual(
    { program, args, json, isQuiet },
    { program: 'ls', args: ['-q', '--json', 'x'], json: '-', isQuiet: true },
  );
});

test('parseExecOptions takes stdout for the report, when --json has no file behind it', () => {
  for (const args of [
    ['--json', '--', 'ls'],
    ['--json', '-q', 'ls'],
    ['--json', '-', 'ls', '--json', '--'],
  ]) {
    const { json, program } = parseExecOptions(args);
    assert.deepEqual([json, program], ['-', 'ls']);
  }
  assert.equal(parseExecOptions(['--json', 'file', '--', 'ls']).json, 'file');
  assert.deepEqual(parseExecOptions(['ls', '--json', '--', 'x']).args, ['--json', '--', 'x']);
});

test('parseExecOptions takes the first -- away and leaves a second one to the command', () => {
  const { program, args } = parseExecOptions(['--', 'git', 'log', '--', 'a']);
  assert.deepEqual([program, ...args], ['git', 'log', '--', 'a']);
});

test('parseExecOptions takes what follows -- for the command, when it looks like an option', () => {
  assert.equal(parseExecOptions(['-r', '3', '--', '-x']).program, '-x');
});

test('parseExecOptions measures no baseline, unless runs are repeated or an option asks for it', () => {
  const baselines = [
    ['true'],
    ['-r', '2', 'true'],
    ['--baseline', '250ms', 'true'],
    ['-r', '2', '--baseline=0', 'true'],
  ];
  assert.deepEqual(
    baselines.map((args) => parseExecOptions(args).baselineMs),
    [undefined, 1000, 250, undefined],
  );
});

test('parseExecOptions refuses what it cannot use, and reports what it wants', () => {
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /expected a command, found none; usage: joulemetry exec/],
    [['--'], /expected a command, found none/],
    [['-r', '0', 'true'], /Cannot use --repeat "0": expected a whole number from 1 to 10000/],
    [['-r', '2.5', 'true'], /Cannot use --repeat "2.5"/],
    [['--baseline', '1', 'true'], /Cannot use --baseline "1": expected a duration such as "1s"/],
    [['--jsn', 'true'], /Cannot parse the command line: Unknown option '--jsn'/],
    [['-r'], /Cannot parse the command line: .*--repeat/],
  ];
  for (const [args, message] of refusals) {
    assert.throws(() => parseExecOptions(args), { name: 'UsageError', message }, args.join(' '));
  }
});

test('parseExecOptions takes lists of events, one by one', () => {
  const { events, program } = parseExecOptions([
    '-e',
    'cycles,cs',
    '--event=msr/tsc/',
    '--',
    'ls',
    '-e',
    'x',
  ]);
  assert.deepEqual([events, program], [['cycles,cs', 'msr/tsc/'], 'ls']);
});

test('parseExecOptions compares commands with --vs between them ten times, unless an option says otherwise', () => {
  const { program, args, others, repeat, baselineMs } = parseExecOptions([
    '--compare',
    '--',
    'a',
    '-x',
    '--vs',
    'b',
  ]);
  assert.deepEqual([program, args, others], ['a', ['-x'], [{ program: 'b', args: [] }]]);
  assert.deepEqual([repeat, baselineMs], [10, 1000]);
  assert.equal(parseExecOptions(['--compare', '-r', '3', '--', 'a', '--vs', 'b']).repeat, 3);
  assert.deepEqual(parseExecOptions(['a', '--vs', 'b']).args, ['--vs', 'b']);
  assert.throws(
    () => parseExecOptions(['--compare', 'a']),
    /expected at least two commands with "--vs" between them/,
  );
  assert.throws(() => parseExecOptions(['--compare', '--', 'a', '--vs']), /expected a command, found none/);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSimulateOptions } from './options.js';

test('parseSimulateOptions says what is wrong in the words of a user', () => {
  const wrong: readonly (readonly [args: readonly string[], message: string])[] = [
    [['--sead', '1'], "Cannot parse the command line: Unknown option '--sead', did you mean '--seed'?"],
    [['--foo'], "Cannot parse the command line: Unknown option '--foo', see --help"],
    [['--period', '1s'], 'Cannot use --period: expected --tree, found none'],
    [['--pmu', '--period', '1s'], 'Cannot use --pmu and --period: expected --tree, found none'],
    [
      ['--refresh', '1us'],
      'Cannot use --refresh: expected a duration such as "1s" of at least 2us, found "1us"',
    ],
  ];
  for (const [args, message] of wrong) {
    assert.throws(() => parseSimulateOptions(args), { name: 'UsageError', message });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { UsageError } from '../errors.js';
import { parseExecOptions } from '../exec/options.js';
import { parseOptions } from '../parse-options.js';
import { holdsFor } from '../testing/property.fixture.js';
import { configOptions } from './config-options.js';

const argument = fc.oneof(
  fc.constantFrom(
    '--',
    '-c',
    '--config',
    '--set',
    '-r',
    '--repeat=3',
    '--json',
    '-',
    '-q',
    '--quiet=no',
    '-qr5',
    'x',
  ),
  fc.string({ maxLength: 6 }),
  fc.string({ maxLength: 4 }).map((text) => `-${text}`),
);

function orUsageError<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    return undefined;
  }
}

test('the options of commands are understood or refused with a UsageError, whatever they are', () => {
  holdsFor(fc.array(argument, { maxLength: 6 }), (args) => {
    orUsageError(() => parseOptions({ args, options: configOptions }));
    const parsed = orUsageError(() => parseExecOptions(args));
    if (!parsed) return;
    // What belongs to the command stands at the end, unchanged.
    const own = [parsed.program, ...parsed.args];
    assert.deepEqual(args.slice(args.length - own.length), own);
  });
});

test('parseExecOptions leaves the command and its arguments alone', () => {
  const program = fc.string({ minLength: 1 }).filter((name) => !name.startsWith('-'));
  holdsFor(fc.tuple(program, fc.array(argument)), ([name, args]) => {
    for (const before of [[], ['--'], ['-q'], ['-r', '3', '--']]) {
      const parsed = parseExecOptions([...before, name, ...args]);
      assert.deepEqual([parsed.program, parsed.args], [name, args]);
    }
  });
});

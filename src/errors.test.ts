import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError, describeErrors, isOutOfDescriptors } from './errors.js';

const full = Object.assign(new Error("EMFILE: too many open files, open '/a'"), { code: 'EMFILE' });
const remedy = 'raise the limit of open files: LimitNOFILE= in a systemd unit, ulimit -n in a shell';

test('describeError gives the message, and what helps when descriptors have run out, wherever that was noticed', () => {
  assert.equal(describeError(new Error('no', { cause: new Error('why') })), 'no');
  assert.equal(describeError('no'), 'no');
  assert.equal(describeError(full), `EMFILE: too many open files, open '/a'; ${remedy}`);
  const wrapped = new Error('Cannot read /a: EMFILE', { cause: full });
  assert.equal(describeError(wrapped), `Cannot read /a: EMFILE; ${remedy}`);
  const again = new Error(`Cannot scrape: ${describeError(wrapped)}`, { cause: wrapped });
  assert.equal(describeError(again), `Cannot scrape: Cannot read /a: EMFILE; ${remedy}`);
});

test('describeError leaves out options of Node, which a user of this program does not set', () => {
  const advice = 'if the root CA is installed locally, try running Node.js with --use-system-ca';
  assert.equal(describeError(new Error(`self-signed certificate; ${advice}`)), 'self-signed certificate');
});

test('describeErrors gives the remedy for descriptors once, and each error once', () => {
  const [a, b] = ['a', 'b'].map((path) => new Error(`Cannot read ${path}: EMFILE`, { cause: full }));
  assert.equal(
    describeErrors([a, b, a, 'other']),
    `Cannot read a: EMFILE; Cannot read b: EMFILE; other; ${remedy}`,
  );
  assert.equal(describeErrors([new Error('one'), new Error('two')]), 'one; two');
});

test('isOutOfDescriptors looks for the cause', () => {
  assert.equal(isOutOfDescriptors(new Error('no', { cause: full })), true);
  assert.equal(isOutOfDescriptors(Object.assign(new Error('no'), { code: 'ENOENT' })), false);
});

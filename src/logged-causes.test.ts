import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoggedCauses } from './logged-causes.js';

test('LoggedCauses takes each cause for new once, until it has succeeded', () => {
  const causes = new LoggedCauses();
  assert.deepEqual([causes.add('a: EACCES'), causes.add('a: EACCES'), causes.isFailing], [true, false, true]);
  assert.deepEqual([causes.add('a: EACCES; b: EIO'), causes.add('b: EIO')], [true, false]);
  assert.deepEqual([causes.clear(), causes.clear(), causes.isFailing], [true, false, false]);
  assert.equal(causes.add('a: EACCES'), true);
});

test('LoggedCauses takes another time, size, process or text for no other cause', () => {
  const causes = new LoggedCauses();
  for (const [message, isNew] of [
    ['expected an answer within 200 ms, found none', true],
    ['expected an answer within 1000 ms, found none', false],
    ['/proc/17/stat: ESRCH', true],
    ['/proc/4021/stat: ESRCH', false],
    ['Cannot parse temp1_input: expected a whole number, found "1x"', true],
    ['Cannot parse temp1_input: expected a whole number, found "2"y"', false],
  ] as const)
    assert.equal(causes.add(message), isNew, message);
});

test('LoggedCauses takes the same problem of another file or device for another cause', () => {
  const causes = new LoggedCauses();
  for (const path of [
    'hwmon0/temp1_input',
    'hwmon0/temp2_input',
    'intel-rapl:0/energy_uj',
    'intel-rapl:1/energy_uj',
  ])
    assert.equal(causes.add(`/sys/${path}: EIO`), true, path);
});

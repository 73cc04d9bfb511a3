import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { CounterFile } from './counter-file.js';

test('CounterFile repeats a text that is the same, and parses any other', (t) => {
  const path = join(createFolder(), 'energy_uj');
  writeFileSync(path, '1\n');
  const file = new CounterFile(path);
  t.after(() => file.close());
  const seen = [
    '1\n',
    '1\n',
    '12345678901234\n',
    '12345678901234\n',
    '1\n',
    '1\n',
    '',
    '',
    '2\n',
    '21\n',
  ].map((text) => {
    writeFileSync(path, text);
    return [file.repeats(), file.count];
  });
  assert.deepEqual(seen, [
    [false, 1],
    [true, 1],
    [false, 12_345_678_901_234],
    [true, 12_345_678_901_234],
    [false, 1],
    [true, 1],
    [false, NaN],
    [false, NaN],
    [false, 2],
    [false, 21],
  ]);
});

test('CounterFile shows a text that changes in its last digit only', () => {
  const path = join(createFolder(), 'energy_uj');
  for (const last of '0123456789') {
    writeFileSync(path, `1234567890123456780\n`);
    const file = new CounterFile(path);
    assert.equal(file.repeats(), false);
    writeFileSync(path, `123456789012345678${last}\n`);
    assert.equal(file.repeats(), last === '0');
    file.close();
  }
});

test('CounterFile cannot be opened where there is no file', () => {
  assert.throws(() => new CounterFile(join(createFolder(), 'energy_uj')), { code: 'ENOENT' });
});

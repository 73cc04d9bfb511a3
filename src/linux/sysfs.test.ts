import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findFolders, findInteger, findNames, findText, parseCounter, readFromStart } from './sysfs.js';

const parse = (text: string) => parseCounter(Buffer.from(text), Buffer.byteLength(text));

test('findText gives the text without its line end, or nothing', () => {
  assert.equal(findText('/proc/sys/kernel/ostype'), 'Linux');
  assert.equal(findText('/proc/nothing-here'), undefined);
});

test('findInteger gives nothing for a text', () => {
  assert.equal(findInteger('/proc/sys/kernel/ostype'), undefined);
  assert.equal(findInteger('/proc/sys/kernel/ngroups_max'), 65_536);
});

test('findNames gives no names, when the folder is not here', () => {
  assert.deepEqual(findNames('/proc/nothing-here'), []);
  assert.deepEqual(findNames('/proc/self/task'), [
    String(process.pid),
    ...findNames('/proc/self/task').slice(1),
  ]);
});

test('parseCounter takes a whole number with its line end', () => {
  assert.equal(parse('262143328850\n'), 262_143_328_850);
  assert.equal(parse('0\n'), 0);
});

test('parseCounter gives NaN for a number that lost its end, since it is unknown how much of it', () => {
  for (const text of ['262143328850', '26214', '0']) assert.equal(parse(text), NaN, text);
});

test('parseCounter gives NaN for what is no counter', () => {
  for (const text of ['', '\n', 'N/A\n', '-1\n', '12 34\n', '1.5\n', '9007199254740992\n']) {
    assert.equal(parse(text), NaN, JSON.stringify(text));
  }
  assert.equal(parseCounter(new Uint8Array(8), -1), NaN);
});

test('readFromStart reads the file as it is now, through the same descriptor', () => {
  const path = join(createFolder(), 'energy_uj');
  writeFileSync(path, '12345\n');
  const fd = openSync(path, 'r');
  const buffer = new Uint8Array(32);
  try {
    assert.equal(parseCounter(buffer, readFromStart(fd, buffer)), 12_345);
    writeFileSync(path, '7\n');
    assert.equal(parseCounter(buffer, readFromStart(fd, buffer)), 7);
  } finally {
    closeSync(fd);
  }
  assert.equal(readFromStart(fd, buffer), -1);
});

test('findFolders gives the folders in a folder, without links and files', () => {
  const folder = createFolder();
  mkdirSync(join(folder, 'cpu,cpuacct'));
  symlinkSync('cpu,cpuacct', join(folder, 'cpu'));
  writeFileSync(join(folder, 'tasks'), '');
  assert.deepEqual(findFolders(folder), ['cpu,cpuacct']);
  assert.deepEqual(findFolders(join(folder, 'absent')), []);
});

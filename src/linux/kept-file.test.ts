import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { isAbsent, KeptFile } from './kept-file.js';
import { maxSystemFileBytes } from './regular-file.js';

function createFile(text: string): string {
  const folder = createFolder();
  const path = join(folder, 'file');
  writeFileSync(path, text);
  return path;
}

function openFile(t: TestContext, path: string): KeptFile {
  const file = new KeptFile(path);
  t.after(() => file.close());
  return file;
}

test('KeptFile.read gives the file again, when it has changed', (t) => {
  const path = createFile('before and longer');
  const file = openFile(t, path);
  assert.equal(file.read().toString(), 'before and longer');
  writeFileSync(path, 'after');
  assert.equal(file.read().toString(), 'after');
});

test('KeptFile.read gives the whole file, when it is larger than every file before', (t) => {
  const text = 'intr 123456789 '.repeat(20_000);
  assert.equal(openFile(t, createFile(text)).read().toString(), text);
});

test('KeptFile.read reports what is wrong, when there is no such file and when it is empty', (t) => {
  const path = createFile('');
  assert.throws(() => openFile(t, path).read(), {
    message: `Cannot read ${path}: expected text, found none`,
  });
  assert.throws(() => openFile(t, `${path}2`).read(), { message: `Cannot read ${path}2: ENOENT` });
});

test('KeptFile.read works, when the file appears after a failed read or was closed', (t) => {
  const path = createFile('here');
  rmSync(path);
  const file = openFile(t, path);
  assert.throws(() => file.read());
  writeFileSync(path, 'here');
  assert.equal(file.read().toString(), 'here');
  file.close();
  assert.equal(file.read().toString(), 'here');
});

test('KeptFile.read opens the file again, when a read failed', (t) => {
  const path = createFile('');
  rmSync(path);
  mkdirSync(path);
  const file = openFile(t, path);
  assert.throws(() => file.read(), {
    message: `Cannot read ${path}: expected a regular file, found a folder`,
  });
  rmdirSync(path);
  writeFileSync(path, 'here');
  assert.equal(file.read().toString(), 'here');
});

test('isAbsent distinguishes a file that is not there from one that cannot be read', (t) => {
  const path = createFile('');
  assert.throws(() => openFile(t, `${path}/x`).read(), isAbsent);
  assert.throws(
    () => openFile(t, path).read(),
    (error) => !isAbsent(error),
  );
});

test('KeptFile.read refuses a device without an end and a file beyond the limit', (t) => {
  assert.throws(() => openFile(t, '/dev/zero').read(), /expected a regular file, found a character device$/u);
  const path = createFile('');
  truncateSync(path, maxSystemFileBytes + 1);
  assert.throws(() => openFile(t, path).read(), /expected at most 16777216 bytes, found more$/u);
});

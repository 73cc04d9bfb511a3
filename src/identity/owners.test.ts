import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { Owners } from './owners.js';

test('Owners knows names, the first one where a number has several, and gives the number otherwise', () => {
  const path = createPasswd('root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nann:x:1000:1000:::\n\n#x\n');
  const owners = new Owners(path, fail);
  assert.equal(owners.nameOf(0), 'root');
  assert.equal(owners.nameOf(1000), 'ann');
  assert.equal(owners.nameOf(1001), '1001');
});

test('Owners learns of new names, when the file has changed', () => {
  const path = createPasswd('ann:x:1000:1000:::\n');
  const owners = new Owners(path, fail);
  writeFileSync(path, 'beth:x:1000:1000:::\n');
  utimesSync(path, 1, 1);
  owners.refresh();
  assert.equal(owners.nameOf(1000), 'beth');
});

test('Owners gives numbers, when there is no file', () => {
  assert.equal(new Owners('/proc/self/absent', fail).nameOf(5), '5');
});

test('Owners keeps its names, and reports the reason once, while the file cannot be read', () => {
  const path = createPasswd('ann:x:1000:1000:::\n');
  const messages: string[] = [];
  const owners = new Owners(path, (message) => messages.push(message));
  rmSync(path);
  mkdirSync(path);
  owners.refresh();
  owners.refresh();
  assert.equal(owners.nameOf(1000), 'ann');
  assert.deepEqual(messages, [
    `Cannot read the names of users from ${path}: expected a regular file, found a folder; new users are shown by their number`,
  ]);
  rmdirSync(path);
  writeFileSync(path, 'beth:x:1000:1000:::\n');
  owners.refresh();
  assert.equal(owners.nameOf(1000), 'beth');
});

test('Owners gives numbers, when the file could never be read', () => {
  const messages: string[] = [];
  const owners = new Owners(createFolder(), (message) => messages.push(message));
  assert.deepEqual([owners.nameOf(0), messages.length], ['0', 1]);
});

function fail(message: string): void {
  assert.fail(message);
}

function createPasswd(text: string): string {
  const folder = createFolder();
  const path = join(folder, 'passwd');
  writeFileSync(path, text);
  return path;
}

import assert from 'node:assert/strict';
import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { Owners } from './owners.js';

test('Owners knows names, the first one where a number has several, and gives the number otherwise', () => {
  const path = createPasswd('root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nann:x:1000:1000:::\n\n#x\n');
  const owners = new Owners(path);
  assert.equal(owners.nameOf(0), 'root');
  assert.equal(owners.nameOf(1000), 'ann');
  assert.equal(owners.nameOf(1001), '1001');
});

test('Owners learns of new names, when the file has changed', () => {
  const path = createPasswd('ann:x:1000:1000:::\n');
  const owners = new Owners(path);
  writeFileSync(path, 'beth:x:1000:1000:::\n');
  utimesSync(path, 1, 1);
  owners.refresh();
  assert.equal(owners.nameOf(1000), 'beth');
});

test('Owners gives numbers, when there is no file', () => {
  assert.equal(new Owners('/proc/self/absent').nameOf(5), '5');
});

function createPasswd(text: string): string {
  const folder = createFolder();
  const path = join(folder, 'passwd');
  writeFileSync(path, text);
  return path;
}

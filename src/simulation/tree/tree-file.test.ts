import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { TreeFile } from './tree-file.js';

test('TreeFile shows who keeps a descriptor each new text as a whole, longer and shorter ones', () => {
  const root = createFolder();
  const path = join(root, 'energy_uj');
  const file = new TreeFile(path, 0o400);
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(32);
  const read = () => buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, 0));
  const texts = ['000\n', '000123\n', '7', '000124\n', '000124\n', ''];
  const seen = texts.map((text) => {
    file.write(text);
    return read();
  });
  file.close();
  closeSync(fd);
  assert.deepEqual(seen, texts);
  assert.equal(statSync(path).mode & 0o777, 0o400);
});

import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TreeFile } from './tree-file.js';

test('TreeFile shows who keeps a descriptor each new text as a whole, longer and shorter ones', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'joulemetry-'));
  t.after(() => rmSync(root, { recursive: true }));
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

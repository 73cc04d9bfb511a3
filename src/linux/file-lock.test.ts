import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile } from './file-lock.js';

test('lockFile gives a file to one only, until it is closed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'joulemetry-lock-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [first, second] = [0, 1].map(() => openSync(join(folder, 'file'), 'a'));
  assert.deepEqual([lockFile(first), lockFile(second)], [true, false]);
  closeSync(first);
  assert.ok(lockFile(second));
  closeSync(second);
});

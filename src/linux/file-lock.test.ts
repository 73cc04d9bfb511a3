import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { lockFile } from './file-lock.js';

test('lockFile gives a file to one only, until it is closed', () => {
  const folder = createFolder();
  const [first, second] = [0, 1].map(() => openSync(join(folder, 'file'), 'a'));
  assert.deepEqual([lockFile(first), lockFile(second)], [true, false]);
  closeSync(first);
  assert.ok(lockFile(second));
  closeSync(second);
});

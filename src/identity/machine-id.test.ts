import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findMachineId } from './machine-id.js';

test('findMachineId finds an id, and none where there is no file or systemd has not written one yet', () => {
  const root = createFolder();
  assert.equal(findMachineId(root), undefined);
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/machine-id'), 'uninitialized\n');
  assert.equal(findMachineId(root), undefined);
  writeFileSync(join(root, 'etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
  assert.equal(findMachineId(root), '0123456789abcdef0123456789abcdef');
});

import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { readEffectiveCapabilities } from '../privileges.js';
import { CgroupsById } from './cgroups-by-id.js';
import { makeCgroup } from './real-cgroups.fixture.js';

const skip = readEffectiveCapabilities().includes('CAP_DAC_READ_SEARCH')
  ? false
  : 'CAP_DAC_READ_SEARCH is missing';

test('CgroupsById finds the path of a cgroup by its number, as long as it is there', { skip }, (t) => {
  const made = makeCgroup(t, 2);
  if (typeof made === 'string') {
    t.skip(made);
    return;
  }
  const cgroups = new CgroupsById();
  t.after(() => cgroups.close());
  const folder = join(made.folder, 'a b');
  mkdirSync(folder);
  const [own, root] = [folder, made.hierarchy.folder].map((each) => statSync(each).ino);
  assert.equal(cgroups.findPath(own ?? 0), `${made.path}/a b`);
  assert.equal(cgroups.findPath(root ?? 0), made.hierarchy.root);
  rmdirSync(folder);
  assert.equal(cgroups.findPath(own ?? 0), undefined);
});

test('CgroupsById finds nothing where version 2 is not mounted', () => {
  assert.equal(new CgroupsById([]).findPath(1), undefined);
});

test('CgroupsById finds nothing where version 2 was unmounted', (t) => {
  const folder = join(createFolder(), 'unified');
  const cgroups = new CgroupsById([{ version: 2, folder, root: '/', controllers: [] }]);
  t.after(() => cgroups.close());
  assert.equal(cgroups.findPath(1), undefined);
});

import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeCgroup } from '../cgroup/real-cgroups.fixture.js';
import { BpfError } from './bpf.js';
import { cgroupField, CgroupLoop } from './cgroup-loop.js';
import { readLong } from './read-long.js';
import { skip, types } from './real-kernel.fixture.js';

/** @returns the reason if there is none */
async function openLoop(t: TestContext, room: number): Promise<CgroupLoop | string> {
  if (types === undefined) return String(skip);
  try {
    const loop = await CgroupLoop.open(types, room);
    t.after(() => loop.close());
    return loop;
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOSYS') return 'the kernel is older than Linux 6.7';
    throw error;
  }
}

const idOf = (folder: string): number => statSync(folder).ino;

test('CgroupLoop finds cgroups below another one, more than its initial room, and forgets removed ones', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  const loop = await openLoop(t, 2);
  if (typeof loop === 'string') return t.skip(loop);
  const folders = Array.from({ length: 9 }, (_, i) => join(group.folder, String(i)));
  const read = () => {
    loop.read(idOf(group.folder));
    return folders.flatMap((folder, i) => {
      const at = known[i] === undefined ? undefined : loop.find(known[i]);
      return at === undefined ? [] : [readLong(loop.words, at + cgroupField.id) === known[i] && folder];
    });
  };
  for (const folder of folders) mkdirSync(folder);
  const known = folders.map(idOf);
  assert.deepEqual([read(), loop.count], [folders, 10]);
  rmdirSync(folders[3] ?? '');
  rmdirSync(folders[8] ?? '');
  const left = folders.filter((_, i) => i !== 3 && i !== 8);
  assert.deepEqual([read(), loop.count], [left, 8]);
});

test('CgroupLoop finds nothing below an id that no cgroup has', async (t) => {
  const group = makeCgroup(t, 2);
  if (typeof group === 'string') return t.skip(group);
  const loop = await openLoop(t, 2);
  if (typeof loop === 'string') return t.skip(loop);
  loop.read(idOf(group.folder));
  assert.equal(loop.count, 1);
  loop.read(2 ** 52);
  assert.equal(loop.count, 0);
});

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import { FolderWatch } from '../inotify.js';
import { makeCgroup, removeCgroup } from './real-cgroups.fixture.js';
import { CgroupTree, type TreeOptions } from './tree.js';

/** A tree of a folder that looks like a hierarchy, and what its updates find. */
function openTree(t: TestContext, folder: string, options: Partial<TreeOptions> = {}) {
  const problems: string[] = [];
  const tree = new CgroupTree({
    hierarchies: [{ version: 2, folder, root: '/', controllers: [] }],
    maxDepth: Infinity,
    watch: new FolderWatch(),
    onUnwatched: (problem) => problems.push(problem),
    ...options,
  });
  t.after(() => tree.close());
  return { tree, problems, update: (isThorough = false) => update(tree, isThorough) };
}

async function update(tree: CgroupTree, isThorough: boolean) {
  const value = await tree.update(isThorough);
  return {
    born: [...value.born].map(({ path }) => path),
    gone: [...value.gone].map(({ path }) => path),
    value,
  };
}

test('CgroupTree finds what is there, and then what comes and goes', async (t) => {
  const root = createFolder();
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const { update: next, tree } = openTree(t, root);
  const first = await next();
  assert.deepEqual(first.born, ['/', '/a', '/a/b']);
  assert.deepEqual(
    [...first.value.born].map(({ isBorn }) => isBorn),
    [false, false, false],
  );
  assert.deepEqual((await next()).born, []);
  mkdirSync(join(root, 'a/c/d/e'), { recursive: true });
  const second = await next();
  assert.deepEqual(second.born, ['/a/c', '/a/c/d', '/a/c/d/e']);
  assert.ok([...second.value.born].every(({ isBorn }) => isBorn));
  rmdirSync(join(root, 'a/b'));
  removeCgroup(join(root, 'a/c'));
  const third = await next();
  assert.deepEqual(third.gone.toSorted(), ['/a/b', '/a/c', '/a/c/d', '/a/c/d/e']);
  assert.equal(tree.size, 2);
});

test('CgroupTree takes a cgroup that was removed and made again for another one', async (t) => {
  const root = createFolder();
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const { update: next } = openTree(t, root);
  await next();
  removeCgroup(join(root, 'a'));
  mkdirSync(join(root, 'other'));
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const { born, gone } = await next();
  assert.deepEqual(gone.toSorted(), ['/a', '/a/b']);
  assert.deepEqual(born.toSorted(), ['/a', '/a/b', '/other']);
});

test('CgroupTree finds one only once, when it was made while its parent was taken up', async (t) => {
  const root = createFolder();
  const { update: next, tree } = openTree(t, root);
  await next();
  mkdirSync(join(root, 'a'));
  const steps = tree.steps(false);
  steps.next();
  mkdirSync(join(root, 'a/b'));
  while (steps.next().done !== true);
  assert.equal(tree.size, 3);
  const { born, gone } = await next();
  assert.deepEqual([born, gone], [[], []]);
});

test('CgroupTree passes over what came and went between two updates', async (t) => {
  const root = createFolder();
  const { update: next, tree } = openTree(t, root);
  await next();
  for (let i = 0; i < 50; i++) {
    mkdirSync(join(root, `a${i}/b`), { recursive: true });
    removeCgroup(join(root, `a${i}`));
  }
  const { born, gone } = await next();
  assert.deepEqual([born, gone, tree.size], [[], [], 1]);
});

test('CgroupTree looks at everything again, when more happened than the kernel keeps', async (t) => {
  const root = createFolder();
  const { update: next, tree } = openTree(t, root);
  await next();
  mkdirSync(join(root, 'stays'));
  // fs.inotify.max_queued_events is 16384 by default.
  for (let i = 0; i < 20_000; i++) {
    mkdirSync(join(root, 'short'));
    rmdirSync(join(root, 'short'));
  }
  mkdirSync(join(root, 'late'));
  const { born, value } = await next();
  assert.deepEqual(born.toSorted(), ['/late', '/stays']);
  assert.ok([...value.born].every(({ isBorn }) => isBorn));
  assert.equal(tree.size, 3);
});

test('CgroupTree leaves out what is below the greatest depth', async (t) => {
  const root = createFolder();
  mkdirSync(join(root, 'a/b/c'), { recursive: true });
  const { update: next } = openTree(t, root, { maxDepth: 1 });
  assert.deepEqual((await next()).born, ['/', '/a']);
  mkdirSync(join(root, 'd/e'), { recursive: true });
  assert.deepEqual((await next()).born, ['/d']);
});

test('CgroupTree follows a cgroup that is renamed, with all below it', async (t) => {
  const root = createFolder();
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const { update: next } = openTree(t, root);
  await next();
  renameSync(join(root, 'a'), join(root, 'z'));
  const { born, gone } = await next();
  assert.deepEqual(
    [born, gone.toSorted()],
    [
      ['/z', '/z/b'],
      ['/a', '/a/b'],
    ],
  );
  mkdirSync(join(root, 'z/b/c'));
  assert.deepEqual((await next()).born, ['/z/b/c']);
});

test('CgroupTree looks at everything at each update, when it cannot watch', async (t) => {
  const exhausted = { add: () => 'ENOSPC', remove: () => {}, drain: () => {}, close: () => {} };
  for (const watch of [undefined, exhausted]) {
    const root = createFolder();
    const { update: next, problems } = openTree(t, root, { watch });
    await next();
    mkdirSync(join(root, 'a/b'), { recursive: true });
    const { born, value } = await next();
    assert.deepEqual(born, ['/a', '/a/b']);
    assert.ok([...value.born].every(({ isBorn }) => isBorn));
    rmdirSync(join(root, 'a/b'));
    assert.deepEqual((await next()).gone, ['/a/b']);
    const remedy = 'Cannot watch all cgroups: ENOSPC; sysctl fs.inotify.max_user_watches=524288';
    assert.deepEqual(problems, watch === undefined ? [] : [remedy]);
  }
});

test('CgroupTree charges one that it missed with nothing, when a thorough update finds it', async (t) => {
  const root = createFolder();
  const silent = { add: () => 1, remove: () => {}, drain: () => {}, close: () => {} };
  const { update: next } = openTree(t, root, { watch: silent });
  await next();
  mkdirSync(join(root, 'a'));
  assert.deepEqual((await next()).born, []);
  assert.deepEqual(
    [...(await next(true)).value.born].map(({ path, isBorn }) => [path, isBorn]),
    [['/a', false]],
  );
});

for (const which of [2, 'cpuacct'] as const) {
  test(`CgroupTree leaves nothing of 10,000 cgroups of the kernel that came and went (${which})`, async (t) => {
    const group = makeCgroup(t, which);
    if (typeof group === 'string') return t.skip(group);
    const { update: next, tree } = openTree(t, group.folder);
    await next();
    const before = readdirSync('/proc/self/fd').length;
    const seen = { born: 0, gone: 0 };
    for (let i = 0; i < 10_000; i++) {
      mkdirSync(join(group.folder, `g${i}`));
      if (i % 10 === 0) seen.born += (await next()).born.length;
      rmdirSync(join(group.folder, `g${i}`));
      if (i % 10 === 5) seen.gone += (await next()).gone.length;
    }
    seen.gone += (await next()).gone.length;
    assert.deepEqual(seen, { born: 1000, gone: 1000 });
    assert.equal(tree.size, 1);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
}

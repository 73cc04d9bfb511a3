import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { findCacheFolder } from './compile-cache.js';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const hasCompileCache = 'enableCompileCache' in process.getBuiltinModule('node:module');
const unprivilegedId = 65534;

function find(cache: string): string | undefined {
  return findCacheFolder({ XDG_CACHE_HOME: cache, HOME: '/nonexistent' });
}

test('findCacheFolder makes a folder that this user alone can read', () => {
  const home = createFolder();
  const folder = findCacheFolder({ HOME: home });
  assert.equal(folder, join(home, '.cache/joulemetry'));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(find(join(home, 'own')), join(home, 'own/joulemetry'));
  // The specification: a path that is not absolute is ignored.
  assert.equal(findCacheFolder({ XDG_CACHE_HOME: 'relative', HOME: home }), folder);
});

test('findCacheFolder makes no home, and needs one', () => {
  const missing = join(createFolder(), 'home');
  assert.equal(findCacheFolder({ HOME: missing }), undefined);
  assert.ok(!existsSync(missing));
  assert.equal(findCacheFolder({}), undefined);
  assert.equal(findCacheFolder({ HOME: 'relative' }), undefined);
});

test('findCacheFolder refuses what others can write or replace', () => {
  const parent = createFolder();
  const folder = join(parent, 'joulemetry');
  mkdirSync(folder);
  for (const path of [folder, parent]) {
    assert.equal(find(parent), folder);
    for (const mode of [0o720, 0o702]) {
      chmodSync(path, mode);
      assert.equal(find(parent), undefined, `${path} has mode ${mode.toString(8)}`);
    }
    chmodSync(path, 0o700);
  }
  const open = createFolder();
  chmodSync(open, 0o777);
  mkdirSync(join(open, 'target'));
  const linked = createFolder();
  symlinkSync(join(open, 'target'), join(linked, 'joulemetry'));
  assert.equal(find(linked), undefined);
});

test('findCacheFolder refuses folders of another user', { skip }, () => {
  const parent = createFolder();
  assert.ok(find(parent));
  chownSync(parent, unprivilegedId, unprivilegedId);
  assert.equal(find(parent), undefined);
});

test(
  'findCacheFolder refuses to a process with capabilities what the same user can write without them',
  { skip: hasSetpriv ? skip : 'no setpriv' },
  () => {
    const cache = createFolder();
    chownSync(cache, unprivilegedId, unprivilegedId);
    const module = new URL('./compile-cache.js', import.meta.url).href;
    const code = `import('${module}').then(({ findCacheFolder }) => console.log(findCacheFolder(process.env)))`;
    const user = [`--reuid=${unprivilegedId}`, `--regid=${unprivilegedId}`, '--clear-groups'];
    const run = (...rights: readonly string[]) =>
      spawnSync('setpriv', [...user, ...rights, process.execPath, '-e', code], {
        env: { ...process.env, XDG_CACHE_HOME: cache },
        encoding: 'utf8',
      }).stdout.trim();
    assert.equal(run('--inh-caps=+net_raw', '--ambient-caps=+net_raw'), 'undefined');
    assert.equal(run(), join(cache, 'joulemetry'));
  },
);

test(
  'the program keeps there what Node has compiled, and nothing where Node was given a place',
  { skip: hasCompileCache ? false : 'Node has no compile cache before version 22.1' },
  () => {
    const main = fileURLToPath(new URL('main.js', import.meta.url));
    const [own, given] = [createFolder(), createFolder()];
    const run = (env: NodeJS.ProcessEnv) => {
      const { status } = spawnSync(process.execPath, [main, 'components'], {
        env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
      });
      assert.equal(status, 0);
    };
    run({ XDG_CACHE_HOME: own, NODE_COMPILE_CACHE: given });
    assert.deepEqual([readdirSync(own).length, readdirSync(given).length], [0, 1]);
    run({ XDG_CACHE_HOME: own, NODE_COMPILE_CACHE: undefined });
    assert.equal(readdirSync(join(own, 'joulemetry')).length, 1);
  },
);

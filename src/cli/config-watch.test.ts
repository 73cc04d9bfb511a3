import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { until } from '../testing/until.js';
import { ConfigWatch, listFolders, readContents } from './config-watch.js';

/** @returns how often a change was reported, and how often the content was looked at */
function watchFile(t: TestContext, file: string, isValid = () => true) {
  const counts = { changes: 0, looks: 0, problems: [] as string[] };
  const watch = new ConfigWatch({
    files: [file],
    content: readContents([file]),
    isValid: () => {
      counts.looks += 1;
      return Promise.resolve(isValid());
    },
    onChange: () => (counts.changes += 1),
    onProblem: (problem) => counts.problems.push(problem),
  });
  t.after(() => watch.close());
  return counts;
}

function writeFile(folder = createFolder(), text = 'a'): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, text);
  return file;
}

test('ConfigWatch reports a file that was written', async (t) => {
  const file = writeFile();
  const counts = watchFile(t, file);
  writeFileSync(file, 'b');
  await until(() => counts.changes === 1);
  writeFileSync(file, 'c');
  await until(() => counts.changes === 2);
  assert.deepEqual(counts.problems, []);
});

test('ConfigWatch reports what has changed before it began', async (t) => {
  const file = writeFile();
  let changes = 0;
  const watch = new ConfigWatch({
    files: [file],
    content: 'before',
    isValid: () => Promise.resolve(true),
    onChange: () => (changes += 1),
    onProblem: assert.fail,
  });
  t.after(() => watch.close());
  await until(() => changes === 1);
});

test('ConfigWatch reports a file that another one replaces, each time', async (t) => {
  const file = writeFile();
  const counts = watchFile(t, file);
  for (const [i, text] of ['b', 'c'].entries()) {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    await until(() => counts.changes === i + 1);
  }
});

test('ConfigWatch reports a file that was removed and written again', async (t) => {
  const file = writeFile();
  const counts = watchFile(t, file);
  rmSync(file);
  writeFileSync(file, 'b');
  await until(() => counts.changes === 1);
});

test('ConfigWatch reports the swap of a symbolic link, as Kubernetes mounts a ConfigMap, each time', async (t) => {
  const folder = createFolder();
  const mount = (version: string) => {
    mkdirSync(join(folder, version));
    writeFile(join(folder, version), version);
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  mount('..1');
  const file = join(folder, 'config.yaml');
  symlinkSync(join('..data', 'config.yaml'), file);
  const counts = watchFile(t, file);
  for (const version of [2, 3]) {
    mount(`..${version}`);
    rmSync(join(folder, `..${version - 1}`), { recursive: true });
    await until(() => counts.changes === version - 1);
  }
});

test('ConfigWatch does not look at a file again, when others of its folder change', async (t) => {
  const folder = createFolder();
  const file = writeFile(folder);
  const counts = watchFile(t, file);
  writeFileSync(join(folder, 'other'), 'x');
  writeFileSync(file, 'a');
  // What comes later is reported first.
  const second = watchFile(t, writeFile(folder, 'a'));
  writeFileSync(join(folder, 'config.yaml'), 'b');
  await until(() => counts.changes === 1 && second.changes === 1);
  assert.deepEqual(counts, { changes: 1, looks: 1, problems: [] });
});

test('ConfigWatch waits for the rest of a file that makes no sense yet', async (t) => {
  const file = writeFile();
  let isWhole = false;
  const counts = watchFile(t, file, () => isWhole);
  writeFileSync(file, 'b');
  await until(() => counts.looks === 1);
  assert.equal(counts.changes, 0);
  isWhole = true;
  appendFileSync(file, 'c');
  await until(() => counts.changes === 1);
  assert.equal(counts.looks, 2);
});

test('ConfigWatch reports a file that makes no sense in the end, once', async (t) => {
  const file = writeFile();
  const counts = watchFile(t, file, () => false);
  writeFileSync(file, 'b');
  await until(() => counts.changes === 1);
  assert.equal(counts.looks, 1);
});

test('ConfigWatch says which folder cannot be watched', (t) => {
  const counts = watchFile(t, '/nowhere/at/all/config.yaml');
  assert.match(counts.problems.join(), /^Cannot watch \/nowhere\/at\/all: .*ENOENT/u);
});

test('listFolders gives the folder of each symbolic link on the way, and ends for a circle of them', () => {
  const folder = createFolder();
  mkdirSync(join(folder, 'real'));
  writeFile(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  assert.deepEqual(listFolders(join(folder, 'link', 'config.yaml')), [folder, join(folder, 'real')]);
  symlinkSync('circle', join(folder, 'circle'));
  assert.ok(listFolders(join(folder, 'circle')).length > 1);
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { CpuCount } from './floor-learner.js';
import { FloorStore, loadQuietWatts, saveQuietWatts } from './floor-store.js';

test('loadQuietWatts returns what saveQuietWatts wrote', () => {
  const path = join(createFolder(), 'floors.json');
  saveQuietWatts(path, new Map([['cpu/package-0', [1.5, 2]]]));
  saveQuietWatts(path, new Map([['cpu/package-0', [1.5, 2.5]]]));
  assert.deepEqual(loadQuietWatts(path), new Map([['cpu/package-0', [1.5, 2.5]]]));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('loadQuietWatts returns nothing if there is no file', () => {
  assert.equal(loadQuietWatts(join(createFolder(), 'none.json')).size, 0);
});

test('loadQuietWatts reports the error in a file', () => {
  const path = join(createFolder(), 'floors.json');
  for (const [text, message] of [
    ['{', /Cannot parse .*floors\.json: /],
    ['{"a": 1}', /Cannot parse .*floors\.json: expected a map with the key "quiet_watts", found none/],
    ['{"quiet_watts": {"cpu/0": 7}}', /expected a list of watts at "cpu\/0", found none/],
  ] as const) {
    writeFileSync(path, text);
    assert.throws(() => loadQuietWatts(path), message);
  }
});

test('saveQuietWatts reports why it cannot write', () => {
  const path = join(createFolder(), 'missing', 'floors.json');
  assert.throws(() => saveQuietWatts(path, new Map()), /Cannot write .*floors\.json: ENOENT/);
});

test('loadQuietWatts throws immediately if the folder is missing or the file is a device', () => {
  const missing = join(createFolder(), 'missing', 'floors.json');
  assert.throws(() => loadQuietWatts(missing), /Cannot write .*floors\.json: ENOENT/);
  assert.throws(() => loadQuietWatts('/dev/zero'), /Cannot (read|write) \/dev\/zero: /);
});

test('saveQuietWatts replaces a leftover temporary file of an earlier run, and does not block on a FIFO', () => {
  const path = join(createFolder(), 'floor.json');
  execFileSync('mkfifo', [`${path}.new`]);
  saveQuietWatts(path, new Map([['cpu', [1]]]));
  assert.deepEqual(loadQuietWatts(path), new Map([['cpu', [1]]]));
});

test('FloorStore does not change a file that it only reads, and reports one that is missing', () => {
  const path = join(createFolder(), 'floors.json');
  const warnings: string[] = [];
  const open = () => {
    const log = { warn: (message: string) => void warnings.push(message) };
    const store = new FloorStore({ state_file: path, state_read_only: true }, new CpuCount(2), log);
    store.load();
    return store;
  };
  open().learnerOf('cpu');
  assert.match(warnings.join(), /Cannot read .*floors\.json: expected floors that an agent has learned/);
  saveQuietWatts(path, new Map([['cpu', Array.from({ length: 60 }, () => 5)]]));
  const before = readFileSync(path, 'utf8');
  const store = open();
  assert.equal(store.learnerOf('cpu').watts, 5);
  store.learnerOf('dram');
  store.save();
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.equal(warnings.length, 2);
  assert.match(
    warnings[1] ?? '',
    /Cannot find the floor of dram in .*, found cpu; idle energy is not separated$/,
  );
});

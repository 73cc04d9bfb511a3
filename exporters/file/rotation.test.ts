import assert from 'node:assert/strict';
import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLogCollector } from '../../src/component/fakes.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import type { RotationConfig } from './config.js';
import { OutputFile } from './output-file.js';
import { Rotation } from './rotation.js';

const never: RotationConfig = {
  max_megabytes: 0,
  interval: 0,
  max_days: 0,
  max_backups: 0,
  localtime: false,
};

/** A file with content. */
function openFile(t: TestContext): OutputFile {
  const path = join(createFolder(), 'energy.json');
  writeFileSync(path, '{}\n');
  const file = new OutputFile(path);
  file.open();
  t.after(() => file.close());
  return file;
}

function createRotation(config: Partial<RotationConfig>): Rotation {
  return new Rotation({ ...never, ...config }, createLogCollector());
}

test('isDue is true, once a file is as old as the interval', (t) => {
  const file = openFile(t);
  assert.equal(createRotation({}).isDue(file, 1e9), false);
  assert.equal(createRotation({ interval: 3_600_000 }).isDue(file, 1), false);
  t.mock.timers.enable({ apis: ['Date'], now: file.beganMs + 3_600_000 });
  assert.equal(createRotation({ interval: 3_600_000 }).isDue(file, 1), true);
});

test('isDue is true, when a file would become larger than its maximum size', (t) => {
  const file = openFile(t);
  assert.equal(createRotation({ max_megabytes: 1 }).isDue(file, 2 ** 20 - 3), false);
  assert.equal(createRotation({ max_megabytes: 1 }).isDue(file, 2 ** 20 - 2), true);
});

test('rotate deletes backups that are older than max_days, as their names say, and nothing else', (t) => {
  const file = openFile(t);
  const folder = join(file.path, '..');
  for (const name of ['energy-2020-01-02T03-04-05.678.json', 'energy-notes.json', 'other.json']) {
    writeFileSync(join(folder, name), '');
    utimesSync(join(folder, name), 0, 0);
  }
  createRotation({ max_days: 1 }).rotate(file);
  const left = readdirSync(folder).toSorted();
  assert.deepEqual(
    left.filter((name) => !/^energy-\d/u.test(name)),
    ['energy-notes.json', 'energy.json', 'other.json'],
  );
  assert.equal(left.length, 4);
  assert.ok(!left.includes('energy-2020-01-02T03-04-05.678.json'));
});

test('rotate names backups by local time, when it is configured to', (t) => {
  const zone = process.env['TZ'];
  t.after(() => (zone === undefined ? delete process.env['TZ'] : (process.env['TZ'] = zone)));
  process.env['TZ'] = 'Asia/Kolkata';
  t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2026, 0, 2, 20, 0, 0, 5) });
  for (const [localtime, name] of [
    [true, 'energy-2026-01-03T01-30-00.005.json'],
    [false, 'energy-2026-01-02T20-00-00.005.json'],
  ] as const) {
    const file = openFile(t);
    createRotation({ localtime }).rotate(file);
    assert.ok(readdirSync(join(file.path, '..')).includes(name));
  }
});

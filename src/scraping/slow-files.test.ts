import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { KeptFile } from '../linux/kept-file.js';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { SlowFiles } from './slow-files.js';

/** Files with reading times set by the test. */
function createRig(t: TestContext) {
  const clock = { ms: 0, stepMs: 0 };
  const files = new SlowFiles({ slowMs: 1, nowMs: () => (clock.ms += clock.stepMs) });
  const file = new KeptFile(join(createFolder(), 'temp'));
  t.after(() => file.close());
  writeFileSync(file.path, '1\n');
  return { clock, files, file, read: () => files.read(file).toString() };
}

test('SlowFiles reads a slow file ahead, until it is quick again', async (t) => {
  const { clock, files, file, read } = createRig(t);
  assert.deepEqual([read(), files.prepare()], ['1\n', undefined]);
  clock.stepMs = 5;
  assert.equal(read(), '1\n');
  writeFileSync(file.path, '2\n');
  await files.prepare();
  writeFileSync(file.path, '3\n');
  assert.equal(read(), '2\n', 'it was read before');
  clock.stepMs = 0;
  for (let i = 0; i < 4; i++) {
    await files.prepare();
    assert.equal(read(), '3\n');
  }
  assert.equal(files.prepare(), undefined);
});

test('SlowFiles has no content of a file that was not read ahead, is empty, or removed', async (t) => {
  const { clock, files, file, read } = createRig(t);
  clock.stepMs = 5;
  read();
  assert.throws(read, /expected an answer within 1000 ms, found none/u);
  writeFileSync(file.path, '');
  await files.prepare();
  assert.throws(read, /expected text, found none/u);
});

test('SlowFiles stops reading a file ahead that is no longer requested', async (t) => {
  const { clock, files, read } = createRig(t);
  clock.stepMs = 5;
  read();
  await files.prepare();
  assert.equal(files.prepare(), undefined);
});

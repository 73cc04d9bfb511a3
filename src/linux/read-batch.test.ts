import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { ReadBatch, slotBytes } from './read-batch.js';

function openBatch(t: TestContext, capacity: number): ReadBatch | undefined {
  const batch = ReadBatch.open(capacity);
  if (batch === undefined) t.skip('the kernel does not let this process read files together');
  t.after(() => batch?.close());
  return batch;
}

function open(t: TestContext, path: string): number {
  const fd = openSync(path, 'r');
  t.after(() => closeSync(fd));
  return fd;
}

function write(t: TestContext, text: string): number {
  const path = join(createFolder(), 'file');
  writeFileSync(path, text);
  return open(t, path);
}

function textOf({ texts, lengths }: ReadBatch, place: number): string {
  return (texts[place] ?? Buffer.alloc(0)).toString('latin1', 0, lengths[place]);
}

test('ReadBatch reads every file from its start, repeatedly', (t) => {
  const batch = openBatch(t, 3);
  if (batch === undefined) return;
  const fds: readonly number[] = ['one', '', 'x'.repeat(2 * slotBytes)].map((text) => write(t, text));
  for (let round = 0; round < 2; round++) {
    for (const [place, fd] of fds.entries()) assert.equal(batch.add(fd), place);
    batch.run();
    assert.deepEqual([textOf(batch, 0), ...batch.lengths], ['one', 3, 0, slotBytes]);
  }
});

test('ReadBatch leaves out what cannot be read, and reads what it can', (t) => {
  const batch = openBatch(t, 4);
  if (batch === undefined) return;
  const fds = [write(t, 'first'), open(t, createFolder()), write(t, 'last')];
  for (const fd of fds) batch.add(fd);
  batch.run();
  assert.equal(textOf(batch, 0), 'first');
  assert.ok((batch.lengths[1] ?? 0) < 0);
  assert.ok(batch.lengths[2] === -1 || textOf(batch, 2) === 'last');
  batch.run();
  assert.equal(batch.add(fds[2] ?? -1), 0);
  batch.run();
  assert.equal(textOf(batch, 0), 'last');
});

test('ReadBatch reads files of sysfs', (t) => {
  const batch = openBatch(t, 2);
  if (batch === undefined) return;
  const paths = ['possible', 'kernel_max'].map((name) => `/sys/devices/system/cpu/${name}`);
  for (const path of paths) batch.add(open(t, path));
  batch.run();
  for (const [place, path] of paths.entries())
    assert.equal(textOf(batch, place), readFileSync(path, 'latin1'));
});

test('ReadBatch reads nothing after it was closed, and may be closed twice', (t) => {
  const batch = openBatch(t, 1);
  if (batch === undefined) return;
  batch.close();
  batch.close();
  batch.add(write(t, 'x'));
  batch.run();
  assert.equal(batch.lengths[0], -1);
});

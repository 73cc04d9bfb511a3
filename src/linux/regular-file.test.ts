import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import {
  findRegularText,
  openFolder,
  openWithoutWaiting,
  readRegularFile,
  readRegularText,
} from './regular-file.js';

const folder = createFolder();

const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('readRegularFile reads a file up to the limit and not one byte more', () => {
  for (const length of [0, 1, 4095, 4096, 4097, 10_000]) {
    const path = write('file', 'x'.repeat(length));
    assert.equal(readRegularFile(path, length).length, length);
    assert.equal(readRegularFile(path).length, length);
    if (length === 0) continue;
    const expected = {
      name: 'UnusableFileError',
      message: `expected at most ${length - 1} bytes, found more`,
    };
    assert.throws(() => readRegularFile(path, length - 1), expected);
  }
});

test('readRegularFile reads files of the kernel, whatever size they give', () => {
  assert.match(readRegularText('/proc/self/status'), /^Pid:\t/mu);
  assert.throws(() => readRegularFile('/proc/self/status', 10), /expected at most 10 bytes/u);
});

test('readRegularFile takes no memory for a sparse file beyond the limit', () => {
  const path = write('sparse', '');
  truncateSync(path, 2 ** 42);
  assert.throws(() => readRegularFile(path), /expected at most 16777216 bytes, found more/u);
});

test('readRegularFile refuses what is not a regular file, and does not wait for it', async () => {
  const server = createServer().listen(join(folder, 'socket'));
  await once(server, 'listening');
  const refused: readonly [string, RegExp][] = [
    [fifo, /expected a regular file, found a FIFO/u],
    [folder, /found a folder/u],
    ['/dev/zero', /found a character device/u],
    ['/dev/tty', /found a character device|ENXIO/u],
    [join(folder, 'socket'), /found a socket|ENXIO/u],
    [join(folder, 'missing'), /ENOENT/u],
  ];
  try {
    for (const [path, expected] of refused) {
      assert.throws(() => readRegularFile(path), expected);
    }
  } finally {
    server.close();
  }
});

test('openWithoutWaiting opens a FIFO without a writer, which is empty', () => {
  const fd = openWithoutWaiting(fifo);
  assert.equal(readSync(fd, Buffer.alloc(8)), 0);
  closeSync(fd);
});

test('openFolder refuses a FIFO and does not wait for it', () => {
  assert.throws(() => openFolder(fifo), /ENOTDIR/u);
});

test('findRegularText gives nothing for a file that does not exist, and names one that cannot be read', () => {
  assert.equal(findRegularText(join(folder, 'missing')), undefined);
  assert.throws(() => findRegularText(fifo), {
    message: `Cannot read ${fifo}: expected a regular file, found a FIFO`,
  });
});

import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../testing/temporary-folder.fixture.js';
import { parseCpuTimes, parseForks, parseNumbers, readPath, readWhole } from './procfs.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function numbersOf(text: string, capacity = 8): number[] {
  const into = new Float64Array(capacity);
  return [...into.subarray(0, parseNumbers(bytes(text), 0, into))];
}

test('parseNumbers finds what stands between spaces, when there are several and some are negative', () => {
  assert.deepEqual(numbersOf('  12 -3 0   18446744073709551615'), [12, -3, 0, 2 ** 64]);
});

test('parseNumbers stops at the end of the line, when more lines follow', () => {
  assert.deepEqual(numbersOf('1 2\n3'), [1, 2]);
});

test('parseNumbers stops, when the array is full, the text is empty, or no number follows', () => {
  assert.deepEqual(numbersOf('1 2 3', 2), [1, 2]);
  assert.deepEqual(numbersOf(''), []);
  assert.deepEqual(numbersOf('7 x 8'), [7]);
});

test('parseCpuTimes gives the machine and each CPU that is online, when cpu1 is offline', () => {
  const text =
    'cpu  10 1 20 300 4 5 6 7 8 9\ncpu0 4 0 9 100 2 0 0 0 0 0\ncpu12 6 1 11 200 2 5 6 7 8 9\nintr 5 5\n';
  const { total, byCpu } = parseCpuTimes(bytes(text));
  assert.deepEqual(total, {
    user: 10,
    nice: 1,
    system: 20,
    idle: 300,
    iowait: 4,
    irq: 5,
    softirq: 6,
    steal: 7,
    guest: 8,
    guestNice: 9,
  });
  assert.deepEqual([...byCpu.keys()], [0, 12]);
  assert.equal(byCpu.get(12)?.idle, 200);
});

test('parseCpuTimes takes a missing column for 0, when the kernel is old', () => {
  const { total } = parseCpuTimes(bytes('cpu  1 2 3 4\n'));
  assert.deepEqual([total.user, total.idle, total.iowait, total.guestNice], [1, 4, 0, 0]);
});

test('parseCpuTimes refuses, when there is no line for all CPUs', () => {
  assert.throws(() => parseCpuTimes(bytes('intr 1 2 3\n')), /Cannot parse \/proc\/stat: expected a line/);
  assert.throws(() => parseCpuTimes(bytes('')), /Cannot parse/);
});

test('parseForks counts births, or reports that it does not know', () => {
  assert.equal(parseForks(Buffer.from('cpu  1\nctxt 9\nbtime 5\nprocesses 4711\nprocs_running 3\n')), 4711);
  assert.equal(parseForks(Buffer.from('cpu  1\nprocs_running 3\n')), NaN);
  assert.equal(parseForks(Buffer.from('cpu  1\nprocesses \n')), NaN);
});

test('readWhole gives the present content from the start, when the file was read before', () => {
  const path = join(createFolder(), 'file');
  writeFileSync(path, 'first reading');
  const fd = openSync(path, 'r');
  const buffer = new Uint8Array(64);
  try {
    assert.equal(readWhole(fd, buffer), 13);
    writeFileSync(path, 'second');
    assert.equal(new TextDecoder().decode(buffer.subarray(0, readWhole(fd, buffer))), 'second');
  } finally {
    closeSync(fd);
  }
});

test('readPath leaves out the rest, when the file is larger than the buffer', () => {
  assert.equal(readPath('/proc/self/stat', new Uint8Array(5)), 5);
});

test('readPath throws, when the file is not there', () => {
  assert.throws(() => readPath('/proc/self/absent', new Uint8Array(5)), /ENOENT/);
});

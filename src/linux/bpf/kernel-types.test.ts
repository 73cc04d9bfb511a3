import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../contract/temporary-folder.fixture.js';
import { KernelTypes } from './kernel-types.js';

const structKind = 4 << 24;
const withBitfields = 0x8000_0000;
const names = [
  '',
  'int',
  'task_struct',
  'pid',
  'se',
  'sched_entity',
  'runtime',
  'entity_alias',
  'flag',
  'colour',
  'red',
  'iterate',
];

/** Offset of a name among the strings. */
function at(name: string): number {
  return names.slice(0, names.indexOf(name)).join('\0').length + (name === '' ? 0 : 1);
}

// int; sched_entity { int; int runtime }; alias of it; union { int pid; int }; task_struct { int; union; alias se;
// int flag : 1 }; enum colour { red = -3 }; the function iterate.
const types = [
  [at('int'), 1 << 24, 4, 32],
  [at('sched_entity'), structKind | 2, 8, at('int'), 1, 0, at('runtime'), 1, 32],
  [at('entity_alias'), 8 << 24, 2],
  [0, (5 << 24) | 2, 4, at('pid'), 1, 0, at('int'), 1, 0],
  [
    at('task_struct'),
    (structKind | withBitfields | 4) >>> 0,
    24,
    at('int'),
    1,
    0,
    0,
    4,
    32,
    at('se'),
    3,
    64,
    at('flag'),
    1,
    0x0100_0080,
  ],
  [at('colour'), (6 << 24) | 1, 4, at('red'), 0xffff_fffd],
  [at('iterate'), 12 << 24, 0],
];

function createFile(change: (file: Buffer) => Buffer = (file) => file): string {
  const words = Buffer.from(Uint32Array.from(types.flat()).buffer);
  const strings = Buffer.from(`${names.join('\0')}\0`);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  [24, 0, words.length, words.length, strings.length].forEach((value, index) =>
    header.writeUInt32LE(value, 4 + index * 4),
  );
  const path = join(createFolder(), 'vmlinux');
  writeFileSync(path, change(Buffer.concat([header, words, strings])));
  return path;
}

async function assertRefused(found: string, change: (file: Buffer) => Buffer): Promise<void> {
  const expected = `expected kernel types (BTF), found ${found}`;
  await assert.rejects(KernelTypes.load(createFile(change)), ({ message }: Error) =>
    message.endsWith(expected),
  );
}

test('KernelTypes finds fields through aliases, inner structs and anonymous unions', async () => {
  const kernel = await KernelTypes.load(createFile());
  assert.equal(kernel.findOffset('sched_entity', 'runtime'), 4);
  assert.equal(kernel.findOffset('task_struct', 'pid'), 4);
  assert.equal(kernel.findOffset('task_struct', 'se'), 8);
  assert.equal(kernel.findOffset('task_struct', 'se.runtime'), 12);
  assert.equal(kernel.findOffset('task_struct', 'flag'), 16);
});

test('KernelTypes finds numbers of functions and values of enumerations', async () => {
  const kernel = await KernelTypes.load(createFile());
  assert.equal(kernel.findId('iterate', 'function'), 7);
  assert.equal(kernel.findId('iterate', 'typedef'), 0);
  assert.equal(kernel.findEnumerator('colour', 'red'), -3);
  assert.equal(kernel.findEnumerator('colour', 'pid'), undefined);
});

test('KernelTypes names a field that the kernel lacks', async () => {
  const kernel = await KernelTypes.load(createFile());
  const lacks = (struct: string, path: string): void => {
    assert.throws(() => kernel.findOffset(struct, path), new RegExp(`Cannot find ${struct}\\.${path}: `));
  };
  lacks('task_struct', 'absent');
  lacks('task_struct', 'se.red');
  lacks('absent', 'pid');
});

test('KernelTypes refuses what is not BTF, cut off or of unknown kinds', async () => {
  await assertRefused('another format', () => Buffer.from('no types'));
  await assertRefused('a truncated file', (file) => file.subarray(0, 80));
  await assertRefused('a type of the unknown kind 31', (file) => {
    file.writeUInt32LE(31 << 24, 28);
    return file;
  });
  await assertRefused('a type that is cut off', (file) => {
    file.writeUInt32LE(file.readUInt32LE(12) - 4, 12);
    return file;
  });
});

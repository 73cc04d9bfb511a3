import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KernelTypes } from './kernel-types.js';
import { createTypesFile } from './kernel-types.fixture.js';

async function assertRefused(found: string, change: (file: Buffer) => Buffer): Promise<void> {
  const expected = `expected kernel types (BTF), found ${found}`;
  await assert.rejects(KernelTypes.load(createTypesFile(change)), ({ message }: Error) =>
    message.endsWith(expected),
  );
}

test('KernelTypes finds fields through aliases, nested structs and anonymous unions', async () => {
  const kernel = await KernelTypes.load(createTypesFile());
  assert.equal(kernel.findOffset('sched_entity', 'runtime'), 4);
  assert.equal(kernel.findOffset('task_struct', 'pid'), 4);
  assert.equal(kernel.findOffset('task_struct', 'se'), 8);
  assert.equal(kernel.findOffset('task_struct', 'se.runtime'), 12);
  assert.equal(kernel.findOffset('task_struct', 'flag'), 16);
});

test('KernelTypes finds ids of functions and values of enumerators', async () => {
  const kernel = await KernelTypes.load(createTypesFile());
  assert.equal(kernel.findId('iterate', 'function'), 7);
  assert.equal(kernel.findId('iterate', 'typedef'), 0);
  assert.equal(kernel.findEnumerator('colour', 'red'), -3);
  assert.equal(kernel.findEnumerator('colour', 'pid'), undefined);
});

test('KernelTypes names a field that the kernel lacks', async () => {
  const kernel = await KernelTypes.load(createTypesFile());
  const lacks = (struct: string, path: string): void => {
    assert.throws(() => kernel.findOffset(struct, path), new RegExp(`Cannot find ${struct}\\.${path}: `));
  };
  lacks('task_struct', 'absent');
  lacks('task_struct', 'se.red');
  lacks('absent', 'pid');
});

test('KernelTypes finds fields that a kernel may lack, and sizes of structs', async () => {
  const kernel = await KernelTypes.load(createTypesFile());
  assert.equal(kernel.findOptionalOffset('task_struct', 'se.runtime'), 12);
  assert.equal(kernel.findOptionalOffset('task_struct', 'absent'), undefined);
  assert.equal(kernel.findOptionalOffset('absent', 'pid'), undefined);
  assert.equal(kernel.findSize('sched_entity'), 8);
  assert.equal(kernel.findSize('absent'), 0);
});

test('KernelTypes refuses data that is not BTF, truncated or of unknown kinds', async () => {
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

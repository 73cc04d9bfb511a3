import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../testing/temporary-folder.fixture.js';
import type { TypeFacts } from './kernel-types.js';
import { createTypesFile } from './kernel-types.fixture.js';
import { withKernelTypes } from './recorded-types.js';

const absent = '/absent/vmlinux';
const allFacts = [12, 4, undefined, 8, 0, 7, -3];

function askAll(types: TypeFacts): Promise<readonly (number | undefined)[]> {
  return Promise.resolve([
    types.findOffset('task_struct', 'se.runtime'),
    types.findOptionalOffset('task_struct', 'pid'),
    types.findOptionalOffset('task_struct', 'absent'),
    types.findSize('sched_entity'),
    types.findSize('absent'),
    types.findId('iterate', 'function'),
    types.findEnumerator('colour', 'red'),
  ]);
}

function askOne(types: TypeFacts): Promise<number> {
  return Promise.resolve(types.findOffset('task_struct', 'pid'));
}

function createRecords(name = 'record') {
  const path = join(createFolder(), name);
  return { read: [path], write: path };
}

test("withKernelTypes reads the kernel's types only for the first run after a boot", async () => {
  const records = createRecords();
  assert.deepEqual(await withKernelTypes(askAll, records, createTypesFile()), allFacts);
  assert.deepEqual(await withKernelTypes(askAll, records, absent), allFacts);
  const ofOtherBoot = readFileSync(records.write, 'utf8').replace(/^./, 'x');
  writeFileSync(records.write, ofOtherBoot);
  await assert.rejects(withKernelTypes(askAll, records, absent), /ENOENT/);
});

test('withKernelTypes adds facts that no earlier run has requested', async () => {
  const records = createRecords();
  assert.equal(await withKernelTypes(askOne, records, createTypesFile()), 4);
  await assert.rejects(withKernelTypes(askAll, records, absent), /ENOENT/);
  await withKernelTypes(askAll, records, createTypesFile());
  assert.equal(await withKernelTypes(askOne, records, absent), 4);
  assert.deepEqual(await withKernelTypes(askAll, records, absent), allFacts);
});

test("withKernelTypes reads the kernel's types again when a record is damaged, or cannot be stored", async () => {
  const records = createRecords();
  await withKernelTypes(askAll, records, createTypesFile());
  const [boot = ''] = readFileSync(records.write, 'utf8').split('\n');
  for (const text of ['', '{', 'null', '{"task_struct.se.runtime":"12"}']) {
    writeFileSync(records.write, `${boot}\n${text}\n`);
    assert.deepEqual(await withKernelTypes(askAll, records, createTypesFile()), allFacts);
  }
  const none = { read: [], write: undefined };
  assert.deepEqual(await withKernelTypes(askAll, none, createTypesFile()), allFacts);
});

const fail = () => Promise.reject(new Error('EPERM'));

test('withKernelTypes fails with the error of its callback', async () => {
  const records = createRecords();
  await withKernelTypes(askAll, records, createTypesFile());
  await assert.rejects(withKernelTypes(fail, records, createTypesFile()), { message: 'EPERM' });
});

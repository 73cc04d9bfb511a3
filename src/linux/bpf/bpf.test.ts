import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { libc } from '../libc.js';
import { Assembler } from './assembler.js';
import { loadProgram, retryInterrupted } from './bpf.js';
import { skip, types, url } from './real-kernel.fixture.js';

test('an error about missing privileges names them', { skip }, () => {
  const script = `
    import { KernelTypes } from ${url('kernel-types.js')};
    import { TaskIterator } from ${url('task-iterator.js')};
    await TaskIterator.open(await KernelTypes.load()).catch(({ message, code }) => console.log(code, message));
  `;
  const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
  const node = [process.execPath, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync('setpriv', [...drop, ...node], { encoding: 'utf8' });
  const expected = 'EPERM Cannot load BPF program "joule_tasks": EPERM, needs CAP_BPF and CAP_PERFMON\n';
  assert.equal(stdout, expected, stderr);
});

test('a program that the verifier refuses fails with the end of its log', { skip }, async () => {
  assert.ok(types);
  const attachTo = types.findId('bpf_iter_task', 'function');
  const code = new Assembler().load(0, 10, 0).return();
  await assert.rejects(
    loadProgram({ name: 'wrong', kind: 'iterator', attachTo, code }),
    /^BpfError: Cannot load BPF program "wrong": EACCES; verifier: .*invalid read from stack/s,
  );
});

test('a program that needs a helper of a newer kernel fails without a log', { skip }, async () => {
  assert.ok(types);
  const attachTo = types.findId('bpf_iter_task', 'function');
  const code = new Assembler().call(9999).return();
  await assert.rejects(
    loadProgram({ name: 'modern', kind: 'iterator', attachTo, code }),
    /^BpfError: Cannot load BPF program "modern": EINVAL, this kernel has no BPF helper 9999; a newer one has it[^\n]*$/,
  );
});

const eventfd = libc.func('int eventfd(unsigned int value, int flags)') as (
  value: number,
  flags: number,
) => number;
const read = libc.func('long read(int fd, void *buffer, size_t count)') as (
  fd: number,
  buffer: Buffer,
  count: number,
) => number;
const nonBlocking = 0o4000;

/** Reads from an event that occurs before the call with a number: until then, the errno is EAGAIN. */
function readUntil(occursBefore: number): Record<'calls' | 'result', number> {
  const fd = eventfd(0, nonBlocking);
  let calls = 0;
  const result = retryInterrupted(() => {
    calls += 1;
    if (calls === occursBefore) writeSync(fd, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
    return read(fd, Buffer.alloc(8), 8);
  });
  closeSync(fd);
  return { calls, result };
}

test('retryInterrupted tries five times while the errno is EAGAIN', () => {
  assert.deepEqual(readUntil(1), { calls: 1, result: 8 });
  assert.deepEqual(readUntil(5), { calls: 5, result: 8 });
  assert.deepEqual(readUntil(6), { calls: 5, result: -1 });
});

test('retryInterrupted does not try again after another error', () => {
  let calls = 0;
  const result = retryInterrupted(() => {
    calls += 1;
    return read(-1, Buffer.alloc(8), 8);
  });
  assert.deepEqual([calls, result], [1, -1]);
});

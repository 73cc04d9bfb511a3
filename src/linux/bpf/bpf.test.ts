import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Assembler } from './assembler.js';
import { loadProgram } from './bpf.js';
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

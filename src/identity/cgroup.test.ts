import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCgroup, identifyCgroup } from './cgroup.js';

const id = '34dc0b5e626f2c5c4c5170e34b10e7654ce36f0fcd532739f4445baabea03376';

function findLine(text: string): string {
  return identifyCgroup(text).line;
}

test('identifyCgroup gives the line of version 2, where there is only that', () => {
  assert.equal(findLine('0::/system.slice/ssh.service\n'), '0::/system.slice/ssh.service');
  assert.equal(findLine('0::/\n'), '0::/');
});

test('identifyCgroup prefers version 2, when it says more than the root', () => {
  const text = '5:memory:/user.slice/user-1000.slice/deep\n1:name=systemd:/a\n0::/user.slice\n';
  assert.equal(findLine(text), '0::/user.slice');
});

test('identifyCgroup gives the deepest of version 1, when version 2 is at the root', () => {
  const text = '9:name=systemd:/\n4:memory:/docker/0123abc\n2:cpu,cpuacct:/docker\n0::/\n';
  assert.equal(findLine(text), '4:memory:/docker/0123abc');
});

test('identifyCgroup gives the first, when several are equally deep', () => {
  assert.equal(findLine('3:cpu:/a/b\n2:memory:/c/d\n'), '3:cpu:/a/b');
});

test('identifyCgroup keeps colons and drops the mark of a removed cgroup', () => {
  assert.equal(findLine('0::/machine/qemu:vm (deleted)\n'), '0::/machine/qemu:vm');
});

test('identifyCgroup gives the root, when the file is empty', () => {
  assert.equal(findLine(''), '0::/');
});

test('identifyCgroup prefers version 1, where only that has the container, the hierarchy of CPU time first', () => {
  const unified = '0::/system.slice/containerd.service\n';
  const text = `9:pids:/docker/${id}\n4:cpu,cpuacct:/docker/${id}\n1:name=systemd:/docker/${id}\n${unified}`;
  const { line, attributes } = identifyCgroup(text);
  assert.equal(line, `4:cpu,cpuacct:/docker/${id}`);
  assert.deepEqual(attributes, { 'container.id': id, 'container.runtime.name': 'docker' });
  assert.equal(findLine(`1:cpu:/docker/${id}\n0::/system.slice/docker-${id}.scope`).slice(0, 3), '0::');
});

test('identifyCgroup prefers a shallow path with a container to a deeper one without', () => {
  const container = '9:cpu,cpuacct:/mesos/168b386b-893f-478e-bbf1-209482231b88';
  assert.equal(findLine(`11:devices:/user.slice/user-0.slice/session-2.scope\n${container}\n`), container);
});

test('describeCgroup gives the same attributes of a path each time, also when it has met many others', () => {
  const first = describeCgroup('/system.slice/first.service');
  assert.equal(describeCgroup('/system.slice/first.service'), first);
  assert.equal(describeCgroup('4:cpu,cpuacct:/system.slice/first.service'), first);
  for (let i = 0; i < 10_000; i++) describeCgroup(`/system.slice/${i}.service`);
  assert.deepEqual(describeCgroup('/system.slice/first.service'), first);
  assert.deepEqual(describeCgroup(`/docker/${id}${'/x'.repeat(5000)}`)['container.id'], id);
});

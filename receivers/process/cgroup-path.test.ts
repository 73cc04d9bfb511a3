import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCgroupPath } from './cgroup-path.js';

test('parseCgroupPath gives the path of version 2, where there is only that', () => {
  assert.equal(parseCgroupPath('0::/system.slice/ssh.service\n'), '/system.slice/ssh.service');
  assert.equal(parseCgroupPath('0::/\n'), '/');
});

test('parseCgroupPath prefers version 2, when it says more than the root', () => {
  const text = '5:memory:/user.slice/user-1000.slice/deep\n1:name=systemd:/a\n0::/user.slice\n';
  assert.equal(parseCgroupPath(text), '/user.slice');
});

test('parseCgroupPath gives the deepest of version 1, when version 2 is at the root', () => {
  const text = '9:name=systemd:/\n4:memory:/docker/0123abc\n2:cpu,cpuacct:/docker\n0::/\n';
  assert.equal(parseCgroupPath(text), '/docker/0123abc');
});

test('parseCgroupPath gives the first, when several are equally deep', () => {
  assert.equal(parseCgroupPath('3:cpu:/a/b\n2:memory:/c/d\n'), '/a/b');
});

test('parseCgroupPath keeps colons and drops the mark of a removed cgroup', () => {
  assert.equal(parseCgroupPath('0::/machine/qemu:vm (deleted)\n'), '/machine/qemu:vm');
});

test('parseCgroupPath gives the root, when the file is empty', () => {
  assert.equal(parseCgroupPath(''), '/');
});

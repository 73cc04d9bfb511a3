import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCgroupLine } from './cgroup.js';

test('findCgroupLine gives the line of version 2, where there is only that', () => {
  assert.equal(findCgroupLine('0::/system.slice/ssh.service\n'), '0::/system.slice/ssh.service');
  assert.equal(findCgroupLine('0::/\n'), '0::/');
});

test('findCgroupLine prefers version 2, when it says more than the root', () => {
  const text = '5:memory:/user.slice/user-1000.slice/deep\n1:name=systemd:/a\n0::/user.slice\n';
  assert.equal(findCgroupLine(text), '0::/user.slice');
});

test('findCgroupLine gives the deepest of version 1, when version 2 is at the root', () => {
  const text = '9:name=systemd:/\n4:memory:/docker/0123abc\n2:cpu,cpuacct:/docker\n0::/\n';
  assert.equal(findCgroupLine(text), '4:memory:/docker/0123abc');
});

test('findCgroupLine gives the first, when several are equally deep', () => {
  assert.equal(findCgroupLine('3:cpu:/a/b\n2:memory:/c/d\n'), '3:cpu:/a/b');
});

test('findCgroupLine keeps colons and drops the mark of a removed cgroup', () => {
  assert.equal(findCgroupLine('0::/machine/qemu:vm (deleted)\n'), '0::/machine/qemu:vm');
});

test('findCgroupLine gives the root, when the file is empty', () => {
  assert.equal(findCgroupLine(''), '0::/');
});

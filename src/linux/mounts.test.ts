import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMounts } from './mounts.js';

test('parseMounts gives root, path, type and the options of mount and file system', () => {
  const text = `22 27 0:21 / /proc rw,relatime shared:4 - proc proc rw,hidepid=1
33 32 0:30 /docker/ab /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct
`;
  assert.deepEqual(parseMounts(text), [
    { root: '/', path: '/proc', type: 'proc', options: ['rw', 'relatime', 'rw', 'hidepid=1'] },
    {
      root: '/docker/ab',
      path: '/sys/fs/cgroup/cpu',
      type: 'cgroup',
      options: ['ro', 'rw', 'cpu', 'cpuacct'],
    },
  ]);
});

test('parseMounts decodes the escapes of the kernel, and leaves out what is no mount', () => {
  const text = String.raw`1 2 0:1 / /my\040disk\134x rw - ext4 /dev/my\040disk rw` + '\nnonsense\n';
  assert.deepEqual(
    parseMounts(text).map(({ path }) => path),
    [String.raw`/my disk\x`],
  );
});

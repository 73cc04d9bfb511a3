import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { findSyscallNumber } from './syscall-numbers.js';

const aio = ['io_setup', 'io_destroy', 'io_submit', 'io_getevents'] as const;
const names = ['bpf', 'futex', 'perf_event_open', ...aio] as const;

// The table of the newer architectures is one, and comes with the headers of every machine.
const headers = [
  { arch: 'arm64', path: '/usr/include/asm-generic/unistd.h' },
  { arch: 'x64', path: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h' },
];

for (const { arch, path } of headers) {
  const skip = !existsSync(path) && `needs ${path}, of linux-libc-dev`;
  test(`findSyscallNumber has the numbers of the kernel's headers for ${arch}`, { skip }, () => {
    const header = readFileSync(path, 'utf8');
    for (const name of names) {
      const number = new RegExp(`^#define __NR_${name}\\s+(\\d+)`, 'm').exec(header)?.[1];
      assert.equal(findSyscallNumber(name, arch), Number(number), name);
    }
  });
}

test('findSyscallNumber has those of arm64, and none of an architecture that it does not know', () => {
  assert.deepEqual(
    names.map((name) => findSyscallNumber(name, 'arm64')),
    [280, 98, 241, 0, 1, 2, 4],
  );
  assert.equal(findSyscallNumber('bpf', 's390x'), undefined);
});

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { addressOf, ioctl, nameErrno } from '../../src/linux/libc.js';
import { skipFor } from '../../src/testing/needs.fixture.js';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';

/** For tests: a file system that loses what was not written to its device, as in a power failure. */
export interface PoweredDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** From now on nothing reaches the device. */
  cutPower(): void;
  /** Mounts it again; no file on it may be open. */
  restart(): void;
}

/** _IOR('X', 125, __u32): EXT4_IOC_SHUTDOWN, include/uapi/linux/ext4.h. */
const shutdownRequest = 0x8004_587d;
/** EXT4_GOING_FLAGS_NOLOGFLUSH: without writing the journal. */
const noLogFlush = 2;
const diskBytes = 128 * 1024 ** 2;
/** Otherwise the kernel writes what is pending every five seconds. */
const options = 'loop,commit=300';

/** For tests: an ext4 file system in a file, unmounted after the test. */
export function mountPoweredDisk(t: TestContext): PoweredDisk {
  const image = join(createFolder(), 'disk');
  const folder = createFolder();
  createFileSystem(image);
  const mount = () => execFileSync('mount', ['-o', options, image, folder]);
  mount();
  t.after(() => execFileSync('umount', ['--lazy', folder]));
  return {
    folder,
    cutPower: () => shutDown(folder),
    restart() {
      execFileSync('umount', [folder]);
      mount();
    },
  };
}

function createFileSystem(image: string): void {
  writeFileSync(image, '');
  truncateSync(image, diskBytes);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
}

function shutDown(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    const flags = Uint32Array.of(noLogFlush);
    if (ioctl(fd, shutdownRequest, addressOf(flags.buffer)) !== 0)
      throw new Error(`Cannot shut down the file system at ${folder}: ${nameErrno()}`);
  } finally {
    closeSync(fd);
  }
}

/** Why tests cannot cut the power of a disk here; false if they can. */
export const noPoweredDisk: string | false = mountRefused();

function mountRefused(): string | false {
  const image = join(createFolder(), 'disk');
  try {
    createFileSystem(image);
    execFileSync('unshare', ['--mount', 'mount', '-o', options, image, '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return skipFor('needs mkfs.ext4 and the right to mount a file as a disk');
  }
}

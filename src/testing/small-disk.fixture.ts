import { execFileSync } from 'node:child_process';
import { skipFor } from './needs.fixture.js';
import { createFolder } from './temporary-folder.fixture.js';

const [mount, umount] = ['/usr/bin/mount', '/usr/bin/umount'];

/** For tests: calls a function with a folder on a 256 KiB disk of its own. */
export async function onSmallDisk(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = createFolder();
  execFileSync(mount, ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]);
  try {
    await use(folder);
  } finally {
    execFileSync(umount, ['-l', folder]);
  }
}

/** Why tests cannot fill a disk here; false if they can. */
export const noSmallDisk: string | false = mountRefused();

function mountRefused(): string | false {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return skipFor('needs the right to mount a tmpfs');
  }
}

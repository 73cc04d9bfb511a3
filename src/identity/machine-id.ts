import { join } from 'node:path';
import { findText } from '../linux/sysfs.js';

/**
 * The id of a machine, 32 hexadecimal digits, as in machine-id(5).
 * @param root folder that holds the machine's `etc`
 * @returns undefined if it has none
 */
export function findMachineId(root: string): string | undefined {
  const id = findText(join(root, 'etc/machine-id'));
  // systemd writes "uninitialized" on an image's first boot.
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFolder } from '../testing/temporary-folder.fixture.js';

/**
 * Writes the sysfs of a machine with several sockets.
 * @param packages by logical CPU, the number of its package; undefined: the CPU is offline
 * @returns its path
 */
export function createPackageSysfs(packages: readonly (number | undefined)[]): string {
  const sysfs = createFolder();
  const cpus = join(sysfs, 'devices/system/cpu');
  mkdirSync(cpus, { recursive: true });
  writeFileSync(join(cpus, 'possible'), `0-${packages.length - 1}\n`);
  for (const [cpu, number] of packages.entries()) if (number !== undefined) bringOnline(sysfs, cpu, number);
  return sysfs;
}

/** A CPU comes online. */
export function bringOnline(sysfs: string, cpu: number, number: number): void {
  const topology = join(sysfs, `devices/system/cpu/cpu${cpu}/topology`);
  mkdirSync(topology, { recursive: true });
  writeFileSync(join(topology, 'physical_package_id'), `${number}\n`);
}

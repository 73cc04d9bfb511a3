import { join } from 'node:path';
import { findInteger, findNames, findText } from './sysfs.js';

/** Where a logical CPU sits. The numbers are those of the kernel, which may leave some out. */
export interface CpuPlace {
  readonly package: number;
  readonly die: number;
}

/** The logical CPUs of a list as the kernel writes it: `0-3,8,10-11`. What is no range of CPUs is left out. */
export function parseCpuList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .filter((range) => /^\d{1,5}(?:-\d{1,5})?$/u.test(range))
    .flatMap((range) => {
      const [first = NaN, last = first] = range.split('-').map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
    });
}

/** The package and die of a logical CPU; undefined when sysfs does not say. */
export function findCpuPlace(sysfs: string, cpu: number): CpuPlace | undefined {
  const topology = join(sysfs, `devices/system/cpu/cpu${cpu}/topology`);
  const packageId = findInteger(join(topology, 'physical_package_id'));
  // A kernel that does not know the package says -1.
  if (packageId === undefined || packageId < 0) return undefined;
  return { package: packageId, die: findInteger(join(topology, 'die_id')) ?? 0 };
}

/** The package of each last-level cache, by the kernel's id of the cache; those of which sysfs does not say both are missing. */
export function findL3Packages(sysfs: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const cpu of parseCpuList(findText(join(sysfs, 'devices/system/cpu/possible')) ?? '')) {
    const caches = join(sysfs, `devices/system/cpu/cpu${cpu}/cache`);
    const last = findNames(caches).find((name) => findInteger(join(caches, name, 'level')) === 3);
    const id = last === undefined ? undefined : findInteger(join(caches, last, 'id'));
    const place = id === undefined || found.has(id) ? undefined : findCpuPlace(sysfs, cpu);
    if (id !== undefined && place) found.set(id, place.package);
  }
  return found;
}

// arch/x86/kernel/cpu/match.c writes the line; X86_VENDOR_* and X86_FEATURE_HYPERVISOR give the numbers.
const amdModel = /,ven(?:0002|0009)fam/;
const hypervisorFeature = /[:,]009F(?:,|$)/;

/** Whether the CPU is AMD's or Hygon's, which has AMD's energy counters. False where sysfs does not say. */
export function isAmd(sysfs: string): boolean {
  return amdModel.test(findModel(sysfs));
}

/** Whether an x86 CPU says that it runs under a hypervisor. False where sysfs does not say. */
export function isVirtualMachine(sysfs: string): boolean {
  return hypervisorFeature.test(findModel(sysfs));
}

function findModel(sysfs: string): string {
  return findText(join(sysfs, 'devices/system/cpu/modalias')) ?? '';
}

import { join } from 'node:path';
import { findInteger, findNames, findText } from './sysfs.js';

/** The position of a logical CPU, in the kernel's numbers, which may have gaps. */
export interface CpuPlace {
  readonly package: number;
  readonly die: number;
}

/** Parses a list of logical CPUs in the kernel's format: `0-3,8,10-11`. Invalid parts are ignored. */
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

/** The package and die of a logical CPU; undefined if sysfs does not report them. */
export function findCpuPlace(sysfs: string, cpu: number): CpuPlace | undefined {
  const topology = join(sysfs, `devices/system/cpu/cpu${cpu}/topology`);
  const packageId = findInteger(join(topology, 'physical_package_id'));
  // -1 means that the kernel does not know the package.
  if (packageId === undefined || packageId < 0) return undefined;
  return { package: packageId, die: findInteger(join(topology, 'die_id')) ?? 0 };
}

/** The package of each last-level cache, by the kernel's id of the cache, where sysfs reports both. */
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

// Source of the line: arch/x86/kernel/cpu/match.c; of the numbers: X86_VENDOR_* and X86_FEATURE_HYPERVISOR.
const amdModel = /,ven(?:0002|0009)fam/;
const hypervisorFeature = /[:,]009F(?:,|$)/;

/** Whether the CPU is made by AMD or Hygon, and thus has AMD's energy counters. False if unknown. */
export function isAmd(sysfs: string): boolean {
  return amdModel.test(findModel(sysfs));
}

/** Whether the CPU is known to be of another architecture than x86. */
export function isOtherThanX86(sysfs: string): boolean {
  const [, architecture] = /^cpu:type:([^,:]+)/.exec(findModel(sysfs)) ?? [];
  return architecture !== undefined && architecture !== 'x86';
}

/** Whether an x86 CPU reports that it runs under a hypervisor. False if unknown. */
export function isVirtualMachine(sysfs: string): boolean {
  return hypervisorFeature.test(findModel(sysfs));
}

function findModel(sysfs: string): string {
  return findText(join(sysfs, 'devices/system/cpu/modalias')) ?? '';
}

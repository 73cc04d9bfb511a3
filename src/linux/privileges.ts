import { readFileSync } from 'node:fs';

// Bit numbers: include/uapi/linux/capability.h.
const names: Readonly<Record<number, string>> = {
  2: 'CAP_DAC_READ_SEARCH',
  10: 'CAP_NET_BIND_SERVICE',
  17: 'CAP_SYS_RAWIO',
  19: 'CAP_SYS_PTRACE',
  21: 'CAP_SYS_ADMIN',
  23: 'CAP_SYS_NICE',
  38: 'CAP_PERFMON',
  39: 'CAP_BPF',
};

/**
 * The effective capabilities in a `/proc/<pid>/status` that are relevant to a collector.
 * @returns their names, in numerical order; none if the file does not list them
 */
export function parseEffectiveCapabilities(status: string): readonly string[] {
  const mask = parseCapabilityMask(status);
  return Object.entries(names).flatMap(([bit, name]) => ((mask & (1n << BigInt(bit))) === 0n ? [] : [name]));
}

function parseCapabilityMask(status: string): bigint {
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}

/** Whether this process has any effective capability at all. */
export function hasCapabilities(): boolean {
  return parseCapabilityMask(readFileSync('/proc/self/status', 'utf8')) !== 0n;
}

/** The effective capabilities of this process. */
export function readEffectiveCapabilities(): readonly string[] {
  return parseEffectiveCapabilities(readFileSync('/proc/self/status', 'utf8'));
}

/** Capabilities that this process lacks to account CPU time by eBPF; none if it may. */
export function findMissingForBpf(held = readEffectiveCapabilities()): readonly string[] {
  if (held.includes('CAP_SYS_ADMIN')) return [];
  return ['CAP_BPF', 'CAP_PERFMON'].filter((name) => !held.includes(name));
}

interface Limit {
  readonly soft: string;
  readonly hard: string;
}

/**
 * The soft limit of open files that this process was started with. Node raises its own to the hard limit and
 * keeps no record, so the parent's is used, which is the same unless it was changed in between.
 * @returns undefined if nothing has to be corrected, or nothing is known
 */
export function findOriginalOpenFilesLimit(procfs = '/proc'): number | undefined {
  const own = findLimit(`${procfs}/self`);
  const parent = findLimit(`${procfs}/${process.ppid}`);
  if (!own || !parent || own.soft !== own.hard || parent.hard !== own.hard) return undefined;
  // systemd sets the limits of a unit between fork and exec: its own limits are irrelevant.
  if (parent.soft === own.soft || readName(`${procfs}/${process.ppid}`) === 'systemd') return undefined;
  return Number(parent.soft);
}

/** Maximum number of descriptors of this process; Infinity if unknown. */
export function readDescriptorLimit(): number {
  return Number(findLimit('/proc/self')?.soft ?? Infinity);
}

/** Minimum for other uses: sockets, rotated files, temporary descriptors. */
const minReserve = 16;
const reserveShare = 8;

/**
 * The first number that a descriptor which is kept open should not have: the kernel assigns the lowest free
 * number, so a higher one means that only a reserve for other uses is left.
 */
export function findFirstReservedFd(limit = readDescriptorLimit()): number {
  if (limit === Infinity) return limit;
  return limit - Math.max(minReserve, Math.floor(limit / reserveShare));
}

function findLimit(folder: string): Limit | undefined {
  try {
    return parseLimits(readFileSync(`${folder}/limits`, 'utf8'));
  } catch {
    return undefined;
  }
}

function readName(folder: string): string {
  return readFileSync(`${folder}/comm`, 'utf8').trim();
}

function parseLimits(limits: string): Limit | undefined {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
  return soft !== undefined && hard !== undefined ? { soft, hard } : undefined;
}

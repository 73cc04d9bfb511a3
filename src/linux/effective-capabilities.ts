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
 * The effective capabilities in a `/proc/<pid>/status` that matter to a collector.
 * @returns their names, in the order of their numbers; none when the file does not say
 */
export function parseEffectiveCapabilities(status: string): readonly string[] {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return Object.entries(names).flatMap(([bit, name]) => ((mask & (1n << BigInt(bit))) === 0n ? [] : [name]));
}

/** Those of this process. */
export function readEffectiveCapabilities(): readonly string[] {
  return parseEffectiveCapabilities(readFileSync('/proc/self/status', 'utf8'));
}

import { readFileSync } from 'node:fs';

// Bit numbers: include/uapi/linux/capability.h.
const bits = { dac_read_search: 2n, sys_ptrace: 19n };

/** A capability that some receiver needs, by its name without `CAP_`. */
export type Capability = keyof typeof bits;

/**
 * Finds in a `/proc/<pid>/status` which of the capabilities are missing from the effective set.
 * @returns all of them when the file does not say
 */
export function findMissing(status: string, wanted: readonly Capability[]): Capability[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return wanted.filter((name) => (effective & (1n << bits[name])) === 0n);
}

/** Tells which of the capabilities this process does not have. */
export function readMissing(wanted: readonly Capability[]): Capability[] {
  return findMissing(readFileSync('/proc/self/status', 'utf8'), wanted);
}

/** The commands that run the collector with these capabilities as the user that runs it now. */
export function describeGrant(capabilities: readonly Capability[]): string {
  const added = capabilities.map((name) => `+${name}`).join(',');
  const identity = `--reuid=${process.getuid?.() ?? 0} --regid=${process.getgid?.() ?? 0} --init-groups`;
  const unit = capabilities.map((name) => `CAP_${name.toUpperCase()}`).join(' ');
  return `sudo setpriv ${identity} --inh-caps=${added} --ambient-caps=${added} joulemetry run (systemd: AmbientCapabilities=${unit})`;
}

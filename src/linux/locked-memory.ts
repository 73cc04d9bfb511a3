import { release } from 'node:os';
import { readRegularText } from './regular-file.js';

/** Since this version, BPF maps and programs count as memory of the cgroup, not as locked memory. */
const [uncountedMajor, uncountedMinor] = [5, 11];

/** Remedies for a limit of locked memory: in a shell, and in a systemd unit. */
export const lockedMemoryRemedies = ['ulimit -l unlimited', 'LimitMEMLOCK=infinity'] as const;

/**
 * Whether BPF counts as locked memory.
 * @param kernel its release: `5.10.0-46-amd64`
 */
export function isBpfLockedMemory(kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return major < uncountedMajor || (major === uncountedMajor && minor < uncountedMinor);
}

/**
 * The limit of locked memory in kB, if it limits BPF.
 * @param kernel its release
 * @param readLimits reads the contents of `/proc/self/limits`
 */
export function findLockedMemoryLimit(
  kernel = release(),
  readLimits = () => readRegularText('/proc/self/limits'),
): number | undefined {
  if (!isBpfLockedMemory(kernel)) return undefined;
  const [, bytes] = /^Max locked memory +(\d+) /m.exec(readLimits()) ?? [];
  return bytes === undefined ? undefined : Number(bytes) / 1024;
}

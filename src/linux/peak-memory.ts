import { readFileSync } from 'node:fs';

/**
 * The largest resident set that a process has had since its last `execve`, in bytes.
 * @returns undefined when it has ended or does not say
 */
export function findPeakRssBytes(pid: number, procfs = '/proc'): number | undefined {
  try {
    const [, kibibytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`${procfs}/${pid}/status`, 'latin1')) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

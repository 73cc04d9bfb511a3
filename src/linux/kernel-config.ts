import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/**
 * Whether the running kernel was built with an option, `CONFIG_IRQ_TIME_ACCOUNTING`.
 * @param procfs where procfs is mounted
 * @param boot where distributions keep the configurations of kernels
 * @returns undefined where the kernel has no `config.gz` and there is no file of its release
 */
export function hasKernelOption(option: string, procfs = '/proc', boot = '/boot'): boolean | undefined {
  const text = readConfig(procfs, boot);
  return text?.split('\n').includes(`${option}=y`);
}

function readConfig(procfs: string, boot: string): string | undefined {
  const readers = [
    () => gunzipSync(readFileSync(`${procfs}/config.gz`)).toString('latin1'),
    () => {
      const release = readFileSync(`${procfs}/sys/kernel/osrelease`, 'latin1').trim();
      return readFileSync(`${boot}/config-${release}`, 'latin1');
    },
  ];
  for (const read of readers) {
    try {
      return read();
    } catch {
      // Not every kernel has the one or the other.
    }
  }
  return undefined;
}

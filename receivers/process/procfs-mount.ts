import { readFileSync } from 'node:fs';

/** A mounted file system, as `/proc/self/mountinfo` says. */
interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** Whether the `stat` of a procfs is not the kernel's but made up for a container by lxcfs. */
export function hasVirtualStat(procfs: string): boolean {
  return readMounts().some(({ path, type }) => path === `${procfs}/stat` && type === 'fuse.lxcfs');
}

/** What a procfs hides from those who may not trace a process. */
export type HidePid = 'nothing' | 'files' | 'processes';

/** Finds out what the mount option `hidepid` of a procfs hides. */
export function readHidePid(procfs: string): HidePid {
  // The last mount on a path covers those before.
  const mount = readMounts().findLast(({ path }) => path === procfs);
  const option = mount?.options.find((each) => each.startsWith('hidepid='))?.slice('hidepid='.length);
  if (option === '1' || option === 'noaccess') return 'files';
  return option === undefined || option === '0' || option === 'off' ? 'nothing' : 'processes';
}

function readMounts(): Mount[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Parses proc_pid_mountinfo(5). */
export function parseMountInfo(text: string): Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const [type = '', , options = ''] = after.split(' ');
      return { path: before.split(' ')[4] ?? '', type, options: options.split(',') };
    });
}

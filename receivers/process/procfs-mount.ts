/** A mounted file system. */
interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/**
 * Whether the `stat` of a procfs is not the kernel's but made up for a container by lxcfs.
 * @param mountInfo the text of proc_pid_mountinfo(5)
 */
export function hasVirtualStat(procfs: string, mountInfo: string): boolean {
  return parseMounts(mountInfo).some(({ path, type }) => path === `${procfs}/stat` && type === 'fuse.lxcfs');
}

/** What a procfs hides from those who may not trace a process. */
export type HidePid = 'nothing' | 'files' | 'processes';

/**
 * Finds out what the mount option `hidepid` of a procfs hides.
 * @param mountInfo the text of proc_pid_mountinfo(5)
 */
export function findHidePid(procfs: string, mountInfo: string): HidePid {
  // The last mount on a path covers those before.
  const mount = parseMounts(mountInfo).findLast(({ path }) => path === procfs);
  const option = mount?.options.find((each) => each.startsWith('hidepid='))?.slice('hidepid='.length);
  if (option === '1' || option === 'noaccess') return 'files';
  return option === undefined || option === '0' || option === 'off' ? 'nothing' : 'processes';
}

function parseMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , options = ''] = after.split(' ');
    return { path: before.split(' ')[4] ?? '', type, options: options.split(',') };
  });
}

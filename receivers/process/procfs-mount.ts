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
 * @param groups of this process: the mount option `gid` names one from which nothing is hidden
 */
export function findHidePid(procfs: string, mountInfo: string, groups: readonly number[] = []): HidePid {
  // The last mount on a path covers those before.
  const mount = parseMounts(mountInfo).findLast(({ path }) => path === procfs);
  const option = findOption(mount, 'hidepid');
  const isExempt = groups.includes(Number(findOption(mount, 'gid') ?? NaN));
  // 4 (ptraceable) knows no exempt group.
  if (isExempt && option !== '4' && option !== 'ptraceable') return 'nothing';
  if (option === '1' || option === 'noaccess') return 'files';
  return option === undefined || option === '0' || option === 'off' ? 'nothing' : 'processes';
}

function findOption(mount: Mount | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  return mount?.options.find((each) => each.startsWith(prefix))?.slice(prefix.length);
}

function parseMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , options = ''] = after.split(' ');
    return { path: before.split(' ')[4] ?? '', type, options: options.split(',') };
  });
}

/**
 * Finds in `/proc/<pid>/cgroup` the one cgroup that says most about a process: that of version 2, unless it is
 * the root while a hierarchy of version 1 knows better (containers on hybrid systems); else the deepest path of
 * version 1, the first one where several are equally deep.
 * @returns the path from the root of its hierarchy: `/` for the root itself
 */
export function parseCgroupPath(text: string): string {
  let deepest = '/';
  for (const line of text.split('\n')) {
    const path = withoutMark(line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1));
    if (line.startsWith('0::') && path.length > 1) return path;
    if (depth(path) > depth(deepest)) deepest = path;
  }
  return deepest;
}

/** The kernel marks the path of a cgroup that was removed while the process lay dying. */
function withoutMark(path: string): string {
  const mark = ' (deleted)';
  return path.endsWith(mark) ? path.slice(0, -mark.length) : path;
}

function depth(path: string): number {
  return path.length <= 1 ? 0 : path.split('/').length;
}

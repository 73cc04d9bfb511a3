/**
 * Finds in `/proc/<pid>/cgroup` the line of the cgroup that identifies a process best: that of version 2, unless it
 * is the root while a hierarchy of version 1 has a deeper path (containers on hybrid systems); else the deepest of
 * version 1, the first one where several are equally deep.
 * @returns the line as the kernel wrote it, `0::/system.slice/ssh.service`: what the semantic conventions want in
 * `process.linux.cgroup`
 */
export function findCgroupLine(text: string): string {
  let deepest = '0::/';
  for (const each of text.split('\n')) {
    const line = withoutMark(each);
    if (line.startsWith('0::') && line.length > '0::/'.length) return line;
    if (depth(line) > depth(deepest)) deepest = line;
  }
  return deepest;
}

/** The kernel marks the path of a cgroup that was removed while the process was ending. */
function withoutMark(line: string): string {
  const mark = ' (deleted)';
  return line.endsWith(mark) ? line.slice(0, -mark.length) : line;
}

/** `hierarchy:controllers:path`; the path may contain colons. */
function depth(line: string): number {
  const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
  return path.length <= 1 ? 0 : path.split('/').length;
}

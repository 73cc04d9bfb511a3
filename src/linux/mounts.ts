/** A mounted file system, as proc_pid_mountinfo(5) describes it. */
export interface Mount {
  /** The mounted folder of the file system: `/`, or one below it. */
  readonly root: string;
  /** Its mount point. */
  readonly path: string;
  readonly type: string;
  /** Options of the mount, then those of the file system. */
  readonly options: readonly string[];
}

/**
 * Parses a list of mounts. A later mount covers an earlier one on the same path.
 * @param text of `/proc/PID/mountinfo`
 */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, path, options = ''] = before.split(' ');
    const [type = '', , fileSystemOptions = ''] = after.split(' ');
    if (root === undefined || path === undefined) return [];
    const all = [...options.split(','), ...fileSystemOptions.split(',')];
    return [{ root: unescapePath(root), path: unescapePath(path), type, options: all }];
  });
}

/** The kernel escapes spaces, tabs, line ends and backslashes as `\040`: in octal, byte by byte. */
function unescapePath(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/gu, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

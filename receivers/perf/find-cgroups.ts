import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createNamePattern } from '../../src/linux/name-pattern.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import { findNames } from '../../src/linux/sysfs.js';

/**
 * Where cgroups are mounted that perf events can be counted for: the hierarchy of version 1 that has perf_event,
 * else that of version 2.
 */
export function findCgroupRoot(procfs: string): string | undefined {
  const mounts = readMounts(procfs);
  const first = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('perf_event'));
  return (first ?? mounts.find(({ type }) => type === 'cgroup2'))?.path;
}

/**
 * The cgroups that patterns select, as paths from the root: `/system.slice/ssh.service`. `*` stands for any name or
 * part of one.
 */
export function findCgroups(patterns: readonly string[], root: string): readonly string[] {
  return [...new Set(patterns.flatMap((pattern) => expand(pattern.split('/').filter(Boolean), root)))];
}

function expand(names: readonly string[], root: string, path = ''): readonly string[] {
  const [first, ...rest] = names;
  if (first === undefined) return existsSync(join(root, path)) ? [path === '' ? '/' : path] : [];
  if (!first.includes('*')) return expand(rest, root, `${path}/${first}`);
  const pattern = createNamePattern(first);
  return findNames(join(root, path))
    .filter((name) => pattern.test(name) && existsSync(join(root, path, name, 'cgroup.procs')))
    .flatMap((name) => expand(rest, root, `${path}/${name}`));
}

interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

function readMounts(procfs: string): readonly Mount[] {
  try {
    return readRegularText(join(procfs, 'self/mounts')).split('\n').map(parseMount);
  } catch {
    return [];
  }
}

/** fstab(5): spaces in paths are written as \040. */
function parseMount(line: string): Mount {
  const [, path = '', type = '', options = ''] = line.split(' ');
  return { path: path.replaceAll(String.raw`\040`, ' '), type, options: options.split(',') };
}

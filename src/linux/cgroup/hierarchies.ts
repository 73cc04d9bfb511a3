import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseMounts, type Mount } from '../mounts.js';
import { readRegularText } from '../regular-file.js';
import { findFolders } from '../sysfs.js';

/** A mounted hierarchy of cgroups. */
export interface Hierarchy {
  readonly version: 1 | 2;
  /** Its mount point. */
  readonly folder: string;
  /**
   * The path of the cgroup that is mounted there, as in `/proc/PID/cgroup`: `/`, or below it in a container, or
   * `/../..` where a container sees cgroups outside its own namespace.
   */
  readonly root: string;
  /** For version 1: `cpuacct`, `memory`. Empty for version 2: each cgroup has its own. */
  readonly controllers: readonly string[];
}

/** Where to look for cgroups. */
export interface HierarchyOptions {
  readonly procfs: string;
  /** The folder of version 2, or that of the hierarchies of version 1; empty: found in the list of mounts. */
  readonly cgroupfs: string;
}

/**
 * Finds the hierarchies of version 2, of version 1, or of both (hybrid): at most one per controller, version 2
 * first. None if the list of mounts cannot be read.
 */
export function findHierarchies({ procfs, cgroupfs }: HierarchyOptions): readonly Hierarchy[] {
  return cgroupfs === '' ? findMounted(procfs) : findBelow(cgroupfs);
}

/**
 * The hierarchy whose cgroups can be targets of perf events: the version 1 hierarchy with perf_event, else
 * version 2.
 */
export function findPerfHierarchy(hierarchies: readonly Hierarchy[]): Hierarchy | undefined {
  return (
    hierarchies.find(({ controllers }) => controllers.includes('perf_event')) ??
    hierarchies.find(({ version }) => version === 2)
  );
}

/** The path of a cgroup as in `/proc/PID/cgroup`. @param path relative to the mount point: `/`, `/a/b` */
export function joinRoot({ root }: Hierarchy, path: string): string {
  if (root === '/') return path;
  return path === '/' ? root : `${root}${path}`;
}

/** The folder of a cgroup. @param path relative to the mount point */
export function folderOf({ folder }: Hierarchy, path: string): string {
  return path === '/' ? folder : `${folder}${path}`;
}

function findMounted(procfs: string): readonly Hierarchy[] {
  const mounts = parseMounts(readMountInfo(procfs)).filter(({ type }) => /^cgroup2?$/u.test(type));
  // Of several mounts of one hierarchy, the one that shows most of it; of equal ones the last, which covers the
  // others.
  const widestFirst = mounts.toReversed().toSorted((a, b) => depthOf(a.root) - depthOf(b.root));
  const found = new Map<string, Hierarchy>();
  for (const mount of widestFirst) {
    const hierarchy = describeMount(mount);
    const key = hierarchy.controllers.join(',') || `version ${hierarchy.version}`;
    if (!found.has(key)) found.set(key, hierarchy);
  }
  return [...found.values()].toReversed().toSorted((a, b) => b.version - a.version);
}

function readMountInfo(procfs: string): string {
  try {
    return readRegularText(join(procfs, 'self/mountinfo'));
  } catch {
    return '';
  }
}

/** Paths above the own namespace start with `/..`, repeated once per level; the more levels, the more is visible. */
function depthOf(root: string): number {
  const names = root.split('/').filter((name) => name !== '');
  const above = names.filter((name) => name === '..').length;
  return names.length - 2 * above;
}

function describeMount({ type, path, root, options }: Mount): Hierarchy {
  if (type === 'cgroup2') return { version: 2, folder: path, root, controllers: [] };
  // The options of the file system and of its mount include the controllers, and name= for a hierarchy without
  // one.
  const controllers = options.filter((option) => knownControllers.has(option) || option.startsWith('name='));
  return { version: 1, folder: path, root, controllers };
}

const knownControllers = new Set(
  ['cpu', 'cpuacct', 'cpuset', 'memory', 'blkio', 'pids', 'perf_event', 'devices', 'freezer'].concat(
    ['hugetlb', 'net_cls', 'net_prio', 'rdma', 'misc'], // The last mounts of version 1.
  ),
);

/** Below a folder: version 2 has `cgroup.controllers`; version 1 hierarchies are named after their controllers. */
function findBelow(cgroupfs: string): readonly Hierarchy[] {
  if (isUnified(cgroupfs)) return [{ version: 2, folder: cgroupfs, root: '/', controllers: [] }];
  // Without symbolic links such as that from `cpu` to `cpu,cpuacct`.
  const below = findFolders(cgroupfs)
    .map((name): Hierarchy => {
      const folder = join(cgroupfs, name);
      if (isUnified(folder)) return { version: 2, folder, root: '/', controllers: [] };
      return { version: 1, folder, root: '/', controllers: name.split(',') };
    })
    .filter(({ folder }) => existsSync(join(folder, 'cgroup.procs')));
  return below.toSorted((a, b) => b.version - a.version);
}

function isUnified(folder: string): boolean {
  return existsSync(join(folder, 'cgroup.controllers'));
}

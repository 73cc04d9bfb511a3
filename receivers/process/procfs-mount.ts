import { readFileSync, readlinkSync } from 'node:fs';
import { createGrant, type Remedy } from '../../src/component/probe.js';
import { parseMounts, type Mount } from '../../src/linux/mounts.js';
import { readEffectiveCapabilities } from '../../src/linux/privileges.js';
import { findCpuClocks } from './choose-cpu-time-source.js';

/**
 * Whether the `stat` of a procfs is provided by lxcfs for a container instead of the kernel.
 * @param mountInfo the text of proc_pid_mountinfo(5)
 */
export function hasVirtualStat(procfs: string, mountInfo: string): boolean {
  return parseMounts(mountInfo).some(({ path, type }) => path === `${procfs}/stat` && type === 'fuse.lxcfs');
}

/** What a procfs hides from users that may not trace a process. */
export type HidePid = 'nothing' | 'files' | 'processes';

/**
 * Parses the mount option `hidepid` of a procfs.
 * @param mountInfo the text of proc_pid_mountinfo(5)
 * @param groups of the agent: nothing is hidden from the group of the mount option `gid`
 */
export function findHidePid(procfs: string, mountInfo: string, groups: readonly number[] = []): HidePid {
  // The last mount on a path covers earlier ones.
  const mount = parseMounts(mountInfo).findLast(({ path }) => path === procfs);
  const option = findOption(mount, 'hidepid');
  const isExempt = groups.includes(Number(findOption(mount, 'gid') ?? NaN));
  // Mode 4 (ptraceable) has no exempt group.
  if (isExempt && option !== '4' && option !== 'ptraceable') return 'nothing';
  if (option === '1' || option === 'noaccess') return 'files';
  return option === undefined || option === '0' || option === 'off' ? 'nothing' : 'processes';
}

function findOption(mount: Mount | undefined, name: string): string | undefined {
  const prefix = `${name}=`;
  return mount?.options.find((each) => each.startsWith(prefix))?.slice(prefix.length);
}

// PROC_PID_INIT_INO of include/linux/proc_ns.h.
const initialPidNamespace = 'pid:[4026531836]';

/** Processes of the machine that a scan does not see. */
export interface HiddenProcesses {
  /** Which processes, and what hides them. */
  readonly what: string;
  readonly remedies: readonly Remedy[];
}

/** Finds out which processes a procfs hides from the agent. */
export function findHiddenProcesses(procfs: string): readonly HiddenProcesses[] {
  return [...findHiddenByMount(procfs), ...findHiddenByNamespace(procfs)];
}

/** For the log: the consequence and the remedy. */
export function describeHidden({ what, remedies }: HiddenProcesses): string {
  const remedy = remedies.map(({ missing, command }) => `${missing}: ${command}`).at(0);
  return `Cannot see ${what}: expected every process in procfs, found some missing; their energy stays unattributed, reason unseen; ${remedy}`;
}

function findHiddenByMount(procfs: string): readonly HiddenProcesses[] {
  const hidden = findHidePid(procfs, readFileSync('/proc/self/mountinfo', 'utf8'), process.getgroups?.());
  if (hidden === 'nothing' || readEffectiveCapabilities().includes('CAP_SYS_PTRACE')) return [];
  const what =
    hidden === 'processes' ? 'the processes of other users' : 'anything about the processes of other users';
  const cause = `${what}, which ${procfs} hides (hidepid)`;
  return [{ what: cause, remedies: createGrant(['CAP_SYS_PTRACE'], cause) }];
}

function findHiddenByNamespace(procfs: string): readonly HiddenProcesses[] {
  // The procfs of another PID namespace is usually that of the host.
  if (findCpuClocks(procfs) === undefined) return [];
  if (readlinkSync('/proc/self/ns/pid') === initialPidNamespace) return [];
  const what = 'the processes outside this container';
  const command = 'docker run --pid=host (Kubernetes: hostPID: true)';
  return [{ what, remedies: [{ missing: what, command }] }];
}

import { readFileSync, readlinkSync } from 'node:fs';
import { createGrant } from '../../src/component/grant.js';
import type { Remedy } from '../../src/component/probe.js';
import { readEffectiveCapabilities } from '../../src/linux/effective-capabilities.js';
import { findCpuClocks } from './cpu-time-source.js';
import { findHidePid } from './procfs-mount.js';

// PROC_PID_INIT_INO of include/linux/proc_ns.h.
const initialPidNamespace = 'pid:[4026531836]';

/** Some processes of the machine that a scan does not see. */
export interface HiddenProcesses {
  /** Which ones, and what hides them. */
  readonly what: string;
  readonly remedies: readonly Remedy[];
}

/** Finds out which processes a procfs does not show to this user. */
export function findHiddenProcesses(procfs: string): readonly HiddenProcesses[] {
  return [...findHiddenByMount(procfs), ...findHiddenByNamespace(procfs)];
}

/** For the log: what this means, and what to do. */
export function describeHidden({ what, remedies }: HiddenProcesses): string {
  const remedy = remedies.map(({ missing, command }) => `${missing}: ${command}`).at(0);
  return `Cannot see ${what}: their energy stays unattributed, reason unseen; ${remedy}`;
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
  // A procfs of another pid namespace is that of the host, as a rule.
  if (findCpuClocks(procfs) === undefined) return [];
  if (readlinkSync('/proc/self/ns/pid') === initialPidNamespace) return [];
  const what = 'the processes outside this container';
  const command = 'docker run --pid=host (Kubernetes: hostPID: true)';
  return [{ what, remedies: [{ missing: what, command }] }];
}

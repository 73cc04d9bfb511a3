import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findInteger, findText } from '../sysfs.js';

/** Why a tracepoint has no number. */
interface NoTracepoint {
  readonly problem: string;
}

/**
 * The number of a tracepoint, say that of `sched:sched_switch`, which is its `config`.
 * @param sysfs below which tracefs is mounted
 * @returns what is wrong where there is none; undefined when the name is that of no tracepoint at all
 */
export function findTracepoint(sysfs: string, name: string): number | NoTracepoint | undefined {
  const [, system, event] = /^([\w-]+):([\w-]+)$/.exec(name) ?? [];
  if (system === undefined || event === undefined) return undefined;
  const roots = ['kernel/tracing', 'kernel/debug/tracing'].map((path) => join(sysfs, path, 'events'));
  const root = roots.find((path) => findText(join(path, 'header_page')) !== undefined || existsSync(path));
  if (root === undefined) {
    return {
      problem: `${join(sysfs, 'kernel/tracing')} cannot be read, wanted root and: mount -t tracefs nodev /sys/kernel/tracing`,
    };
  }
  const id = findInteger(join(root, system, event, 'id'));
  if (id !== undefined) return id;
  return existsSync(join(root, system, event))
    ? { problem: `${join(root, system, event, 'id')} cannot be read, wanted root` }
    : undefined;
}

import type { Attributes } from '../model/series.js';

/** Who a process is, in the words of the semantic conventions. */
export interface ProcessDescription {
  readonly pid: number;
  /** Unix time in nanoseconds. */
  readonly bornNs: bigint;
  readonly parentPid: number;
  /** Base name of the executable. */
  readonly name: string;
  /** Path of the executable. */
  readonly path?: string | undefined;
  /** Name of the main thread when the process was first seen. */
  readonly threadName?: string | undefined;
  readonly owner?: string | undefined;
  /** Line of `/proc/<pid>/cgroup`. */
  readonly cgroup?: string | undefined;
  readonly commandLine?: string | undefined;
  readonly isKernelThread: boolean;
}

/** The resource attributes of a process. What is not known is left out. */
export function describeProcess(process: ProcessDescription): Attributes {
  const { pid, bornNs, parentPid, name } = process;
  return {
    'process.pid': pid,
    'process.creation.time': new Date(Number(bornNs / 1_000_000n)).toISOString(),
    'process.parent_pid': parentPid,
    'process.executable.name': name,
    ...optional('process.owner', process.owner),
    ...optional('process.linux.cgroup', process.cgroup),
    ...optional('process.executable.path', process.path),
    ...optional('process.thread.name', process.threadName),
    ...optional('process.command_line', process.commandLine),
    ...(process.isKernelThread && { 'process.linux.kernel_thread': true }),
  };
}

function optional(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [name]: value };
}

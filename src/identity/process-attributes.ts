import {
  ATTR_PROCESS_COMMAND_LINE,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_LINUX_CGROUP,
  ATTR_PROCESS_OWNER,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_THREAD_NAME,
  ATTR_SYSTEMD_UNIT,
} from '../model/semantic-conventions.js';
import type { Attributes } from '../model/series.js';
import { describeCgroup } from './cgroup.js';

/** The identity of a process, in terms of the semantic conventions. */
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
  /** Attributes of the service that it is part of. */
  readonly service?: Attributes | undefined;
  readonly isKernelThread: boolean;
}

const creationTime = 'process.creation.time';
const parentPidName = 'process.parent_pid';

/** The unit of kernel threads, which systemd does not start. */
const kernelUnit = 'kernel';

/** The resource attributes of a process, including those of its cgroup. Unknown ones are left out. */
export function describeProcess(process: ProcessDescription): Attributes {
  const { pid, bornNs, parentPid, name } = process;
  return {
    [ATTR_PROCESS_PID]: pid,
    [creationTime]: new Date(Number(bornNs / 1_000_000n)).toISOString(),
    [parentPidName]: parentPid,
    [ATTR_PROCESS_EXECUTABLE_NAME]: name,
    ...optional(ATTR_PROCESS_OWNER, process.owner),
    ...optional(ATTR_PROCESS_LINUX_CGROUP, process.cgroup),
    ...optional(ATTR_PROCESS_EXECUTABLE_PATH, process.path),
    ...optional(ATTR_PROCESS_THREAD_NAME, process.threadName),
    ...optional(ATTR_PROCESS_COMMAND_LINE, process.commandLine),
    ...process.service,
    ...(process.isKernelThread && { 'process.linux.kernel_thread': true, [ATTR_SYSTEMD_UNIT]: kernelUnit }),
    // A kernel thread can work for a unit, for example that of a virtual machine.
    ...(process.cgroup !== undefined && describeCgroup(process.cgroup)),
  };
}

/** What the attributes of a process other than a kernel thread were made from, without its service. */
export function recallProcess(attributes: Attributes): ProcessDescription {
  const textOf = (name: string): string | undefined => {
    const value = attributes[name];
    return value === undefined ? undefined : String(value);
  };
  return {
    pid: Number(attributes[ATTR_PROCESS_PID]),
    bornNs: BigInt(Date.parse(String(attributes[creationTime]))) * 1_000_000n,
    parentPid: Number(attributes[parentPidName]),
    isKernelThread: false,
    name: String(attributes[ATTR_PROCESS_EXECUTABLE_NAME]),
    path: textOf(ATTR_PROCESS_EXECUTABLE_PATH),
    threadName: textOf(ATTR_PROCESS_THREAD_NAME),
    owner: textOf(ATTR_PROCESS_OWNER),
    cgroup: textOf(ATTR_PROCESS_LINUX_CGROUP),
    commandLine: textOf(ATTR_PROCESS_COMMAND_LINE),
  };
}

function optional(name: string, value: string | undefined): Attributes {
  return value === undefined ? {} : { [name]: value };
}

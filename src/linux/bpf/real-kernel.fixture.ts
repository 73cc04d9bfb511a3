import { describeError } from '../../errors.js';
import { skipFor } from '../../testing/needs.fixture.js';
import { KernelTypes } from './kernel-types.js';
import { TaskIterator } from './task-iterator.js';
import { taskField } from './task-record.js';

// The real kernel. Missing features skip tests; as root in the gate none are missing.

/** The running kernel's types; undefined if eBPF cannot be used. */
export const types = await findTypes();

/** Why eBPF tests are skipped; false: they are not. */
export const skip = types === undefined && 'needs root, or CAP_BPF and CAP_PERFMON, and a kernel with BTF';

async function findTypes(): Promise<KernelTypes | undefined> {
  try {
    const found = await KernelTypes.load();
    (await TaskIterator.open(found)).close();
    return found;
  } catch (error) {
    skipFor(describeError(error));
    return undefined;
  }
}

/** A module of this folder, for a script. */
export function url(name: string): string {
  return JSON.stringify(new URL(name, import.meta.url).href);
}

/** A record, as an object. */
export interface Task {
  readonly tgid: number;
  readonly tid: number;
  readonly name: string;
  readonly runtimeNs: number;
  readonly startNs: number;
  readonly endedThreadsNs: number;
  readonly cgroup: number;
  readonly cgroupV1: number;
  readonly parent: number;
  readonly user: number;
  readonly flags: number;
  readonly localTgid: number;
}

export function decode(words: Uint32Array, at: number): Task {
  const word = (field: number): number => words[at + field];
  const time = (field: number): number => word(field) * 1e9 + word(field + 1);
  const name = Buffer.from(words.slice(at + taskField.name, at + taskField.name + 4).buffer);
  return {
    tgid: word(taskField.tgid),
    tid: word(taskField.tid),
    name: name.toString('utf8', 0, name.indexOf(0)),
    runtimeNs: time(taskField.runtime),
    startNs: time(taskField.start),
    endedThreadsNs: time(taskField.endedThreadsRuntime),
    cgroup: word(taskField.cgroup) + word(taskField.cgroup + 1) * 2 ** 32,
    cgroupV1: word(taskField.cgroupV1) + word(taskField.cgroupV1 + 1) * 2 ** 32,
    parent: word(taskField.parent),
    user: word(taskField.user),
    flags: word(taskField.flags),
    localTgid: word(taskField.localTgid),
  };
}

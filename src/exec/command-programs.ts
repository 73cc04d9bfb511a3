import { elementAt } from '../element.js';
import type { ProgramUsage } from '../linux/bpf/tree-accounting.js';
import {
  ATTR_PROCESS_ANCESTOR_PID,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_LINUX_CGROUP,
  ATTR_PROCESS_OWNER,
  ATTR_PROCESS_PID,
} from '../model/semantic-conventions.js';
import type { Attributes, Resource } from '../model/series.js';
import type { CommandPart } from './command-receiver.js';

/** The attributes of all processes of a tree with the same program: like those of a process, but without a pid. */
export function describeProgram(command: Attributes, program: string): Attributes {
  const common = [ATTR_PROCESS_OWNER, ATTR_PROCESS_LINUX_CGROUP].flatMap((name) => {
    const value = command[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    [ATTR_PROCESS_EXECUTABLE_NAME]: program,
    [ATTR_PROCESS_ANCESTOR_PID]: command[ATTR_PROCESS_PID] ?? 0,
    ...Object.fromEntries(common),
  };
}

/** The programs of a command's tree as workloads: the command's own process first, with its identity. */
export class CommandPrograms {
  readonly #command: Attributes;
  readonly #resources: Resource[];

  constructor(command: Attributes) {
    this.#command = command;
    this.#resources = [{ attributes: command }];
  }

  /** @param programs new ones last; none is removed */
  identify(programs: readonly ProgramUsage[]): readonly CommandPart[] {
    for (const { name } of programs.slice(this.#resources.length)) {
      this.#resources.push({ attributes: describeProgram(this.#command, name) });
    }
    return programs.map(({ cpuNs }, i) => ({ resource: elementAt(this.#resources, i), cpuNs }));
  }
}

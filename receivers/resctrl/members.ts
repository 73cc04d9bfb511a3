import { describeCode } from '../../src/errors.js';
import { openPidList } from '../../src/linux/pid-list.js';
import { readRegularText } from '../../src/linux/regular-file.js';
import { parseCpuList } from '../../src/linux/topology.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_LINUX_RESCTRL_GROUP, ATTR_PROCESS_PID } from '../../src/model/semantic-conventions.js';
import { memoryTrafficMember } from '../../src/model/usage-metrics.js';
import { createAbsence } from '../../src/scraping/file-gauges.js';
import type { GaugeColumn } from '../../src/scraping/gauge-table.js';
import type { DescribeSource, Source, Steps } from '../../src/scraping/source.js';
import type { Config } from './config.js';
import type { Group, Groups } from './groups.js';

/**
 * The processes of each group, for the ledger. All others are in the default group. A task whose id is that of
 * a process represents all its threads.
 */
export function describeMembers(groups: Groups, { procfs }: Pick<Config, 'procfs'>): DescribeSource {
  return (source) => {
    const members = new Members(source, procfs);
    const table = source.gauges();
    let shown = '';
    return function* (at) {
      groups.follow(source);
      if (groups.all.length === 0) throw createAbsence(groups.name);
      const columns = yield* members.read(groups.all);
      const keys = columns.map(({ key }) => key).join('\0');
      if (keys !== shown) table.choose(columns.map(({ column }) => column));
      shown = keys;
      return [
        table.row(
          at,
          columns.map(() => 1),
        ),
      ];
    };
  };
}

interface Member {
  readonly key: string;
  readonly column: GaugeColumn;
}

class Members {
  readonly #source: Source;
  readonly #procfs: string;
  readonly #known = new Map<string, Member>();

  constructor(source: Source, procfs: string) {
    this.#source = source;
    this.#procfs = procfs;
  }

  /** @param groups each control group before its monitoring groups, whose tasks are also listed in the control group */
  *read(groups: readonly Group[]): Steps<readonly Member[]> {
    const processes = this.#listProcesses();
    const groupOf = new Map<number, string>();
    const withCpus: string[] = [];
    const parts = groups
      .filter(({ path }) => path !== '/')
      .map((group) => () => {
        for (const task of readTasks(group)) if (processes.has(task)) groupOf.set(task, group.path);
        if (hasCpus(group)) withCpus.push(group.path);
      });
    yield* this.#source.readInSteps(parts);
    const found = [
      ...withCpus.map((path) => this.#memberOf(path)),
      ...[...groupOf].map(([pid, path]) => this.#memberOf(path, pid)),
    ];
    const kept = new Set(found);
    for (const [key, member] of this.#known) if (!kept.has(member)) this.#known.delete(key);
    return found;
  }

  /** Tasks are threads; the folders of procfs are processes. */
  #listProcesses(): ReadonlySet<number> {
    const list = openPidList(this.#procfs);
    const pids = new Set(list.read());
    list.close();
    return pids;
  }

  /** @param pid undefined: any process that is in no other group may be in it */
  #memberOf(path: string, pid?: number): Member {
    const key = `${path}\n${pid}`;
    return findOrAdd(this.#known, key, () => ({
      key,
      column: {
        metric: memoryTrafficMember,
        attributes: {
          [ATTR_LINUX_RESCTRL_GROUP]: path,
          ...(pid !== undefined && { [ATTR_PROCESS_PID]: pid }),
        },
      },
    }));
  }
}

function readTasks({ folder }: Group): readonly number[] {
  return readText(`${folder}/tasks`).split('\n').map(Number);
}

/** Tasks of the default group are counted in the group of their CPU, if it has one. */
function hasCpus({ folder }: Group): boolean {
  return parseCpuList(readText(`${folder}/cpus_list`)).length > 0;
}

/** The text of a file, which is empty if a group has no tasks or CPUs. */
function readText(path: string): string {
  try {
    return readRegularText(path);
  } catch (error) {
    throw new Error(`Cannot read ${path}: ${describeCode(error)}`, { cause: error });
  }
}

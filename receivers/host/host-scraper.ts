import type { ExpectedSeries } from '../../src/component/component.js';
import { describeErrors } from '../../src/component/errors.js';
import type { Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import type { OpenScraper } from '../../src/scraping/scraping-receiver.js';
import type { Config } from './config.js';
import { CpuGroup, cpuMetrics, cpuTime } from './cpu-group.js';
import { DiskGroup, diskMetrics } from './disk-group.js';
import { FrequencyGroup, frequencyMetrics } from './frequency-group.js';
import { PartialReadError, type Group, type GroupContext } from './group.js';
import { LoadGroup, loadMetrics } from './load-group.js';
import { MemoryGroup, memoryMetrics } from './memory-group.js';
import { NetworkGroup, networkMetrics } from './network-group.js';
import { PressureGroup, pressureMetrics } from './pressure-group.js';

const groupClasses = {
  cpu: CpuGroup,
  memory: MemoryGroup,
  network: NetworkGroup,
  disk: DiskGroup,
  load: LoadGroup,
  pressure: PressureGroup,
  frequency: FrequencyGroup,
};

const groupMetrics = {
  cpu: cpuMetrics,
  memory: memoryMetrics,
  network: networkMetrics,
  disk: diskMetrics,
  load: loadMetrics,
  pressure: pressureMetrics,
  frequency: frequencyMetrics,
} as const satisfies Record<keyof typeof groupClasses, readonly Metric[]>;

/** Every metric of every group. */
export const metrics: readonly Metric[] = Object.values(groupMetrics).flat();

/** What the groups publish that are enabled: of devices, those that pass the same filters. */
export function listExpectedSeries(config: Config): readonly ExpectedSeries[] {
  return listEnabled(config).flatMap((name) =>
    groupMetrics[name].map((metric) => ({ metric: metric.name, scope: scopeOf(name, metric, config) })),
  );
}

function scopeOf(name: NamedGroup['name'], metric: Metric, config: Config): string {
  if (metric === cpuTime) return JSON.stringify(config.cpu);
  return name === 'network' || name === 'disk' ? JSON.stringify(config[name]) : '';
}

function listEnabled({ groups }: Config): readonly NamedGroup['name'][] {
  const names = Object.keys(groupClasses) as NamedGroup['name'][]; // the keys of the object above
  return names.filter((name) => groups[name]);
}

/** A group that the configuration asks for. */
export interface NamedGroup {
  readonly name: keyof typeof groupClasses;
  readonly group: Group;
}

/** The groups that the configuration asks for, whether or not this machine has what they read. */
export function createGroups(context: GroupContext): NamedGroup[] {
  return listEnabled(context.config).map((name) => ({ name, group: new groupClasses[name](context) }));
}

/**
 * Reads once without a trace, to see whether the group can be read.
 * @returns what was thrown, if something was
 */
export function tryGroup({ group }: NamedGroup): unknown {
  try {
    group.read();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    group.restart(0n);
  }
}

function readGroup(group: Group): { readonly tables: readonly Table[]; readonly error?: unknown } {
  try {
    return { tables: group.read() };
  } catch (error) {
    return { tables: error instanceof PartialReadError ? error.tables : [], error };
  }
}

/** Reads every group. One that cannot be read does not keep the others from being read. */
export class HostScraper implements OpenScraper {
  readonly #groups: readonly NamedGroup[];
  readonly #wallNs: () => bigint;
  #era: number | undefined;

  constructor(groups: readonly NamedGroup[], wallNs: () => bigint) {
    this.#groups = groups;
    this.#wallNs = wallNs;
  }

  *scrape(era: number): Iterable<Table> {
    if (this.#era !== undefined && era !== this.#era) yield* this.#restart();
    this.#era = era;
    const problems: unknown[] = [];
    for (const { group } of this.#groups) {
      const { tables, error } = readGroup(group);
      yield* tables.filter(({ series, ended }) => series.length > 0 || ended !== undefined);
      if (error !== undefined) problems.push(error);
    }
    if (problems.length > 0) throw new Error(describeErrors(problems));
  }

  close(): void {
    for (const { group } of this.#groups) group.close();
  }

  #restart(): Table[] {
    const at = this.#wallNs();
    return this.#groups.flatMap(({ group }) => group.restart(at)).filter(({ ended }) => ended?.length);
  }
}

import { isAbsent, type KeptFile } from '../../src/linux/kept-file.js';
import { findNames, findText } from '../../src/linux/sysfs.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_CPU_LOGICAL_NUMBER } from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import type { CounterColumn, CounterTable } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { createAbsence } from '../../src/scraping/file-gauges.js';
import type { DescribeSource, Source, Steps } from '../../src/scraping/source.js';
import type { Config } from './config.js';

const time: Metric = {
  name: 'system.linux.cpuidle.time',
  unit: 's',
  description: 'Time that logical CPUs were in an idle state',
  kind: 'counter',
  valueType: 'double',
};
const entries: Metric = {
  name: 'system.linux.cpuidle.entries',
  unit: '{entry}',
  description: 'How often logical CPUs entered an idle state',
  kind: 'counter',
  valueType: 'int',
};

export const metrics = [time, entries];

/** A state of a CPU, `/sys/devices/system/cpu/cpu0/cpuidle/state1`. */
interface IdleState {
  /** The counter that it is a part of: the name of the state, and its CPU where these are apart. */
  readonly counter: string;
  /** Microseconds, and how often it was entered. */
  readonly files: readonly [time: KeptFile, usage: KeptFile];
  counts: Counts;
  /** The counts of the reading before. */
  last: Counts;
  wasRead: boolean;
}

export function describeIdleStates(config: Config): DescribeSource {
  return (source) => {
    const states = new IdleStates(source, config);
    return function* (at) {
      return [yield* states.read(at)];
    };
  };
}

/** The states of the CPUs that are online, in sums that never fall when a CPU goes. */
class IdleStates {
  readonly #source: Source;
  readonly #config: Config;
  readonly #root: string;
  readonly #online: KeptFile;
  readonly #counters: CounterTable;
  readonly #columns = new Map<string, readonly CounterColumn[]>();
  readonly #sums = new Map<string, Counts>();
  /** The counters of which something was read this time. */
  readonly #read = new Set<string>();
  #states: readonly IdleState[] = [];
  #parts: readonly (() => void)[] = [];
  #seen: string | undefined;

  constructor(source: Source, config: Config) {
    this.#source = source;
    this.#config = config;
    this.#root = `${config.sysfs}/devices/system/cpu`;
    this.#online = source.file(`${this.#root}/online`);
    this.#counters = source.counters((name) => this.#columns.get(name));
  }

  /** @throws UnavailableError when no CPU has idle states */
  *read(at: bigint): Steps<Table> {
    this.#followHotplug();
    if (this.#columns.size === 0) throw createAbsence(`idle states of ${this.#root}`);
    this.#read.clear();
    yield* this.#source.readInSteps(this.#parts);
    this.#counters.begin(at);
    for (const [counter, sum] of this.#sums) if (this.#read.has(counter)) this.#counters.add(counter, sum);
    return this.#counters.finish();
  }

  #followHotplug(): void {
    const online = this.#online.read().toString('latin1');
    if (online === this.#seen) return;
    this.#seen = online;
    const before = new Map(this.#states.map((state) => [state.files[0].path, state]));
    this.#states = findNames(this.#root)
      .flatMap((name) => /^cpu(\d+)$/u.exec(name)?.[1] ?? [])
      .flatMap((cpu) => this.#findStates(Number(cpu)))
      .map((state) => before.get(state.files[0].path) ?? state);
    const kept = new Set(this.#states);
    for (const state of before.values()) {
      if (!kept.has(state)) for (const { path } of state.files) this.#source.forget(path);
    }
    this.#parts = this.#states.map((state) => () => this.#addTo(state));
  }

  #findStates(cpu: number): IdleState[] {
    const folder = `${this.#root}/cpu${cpu}/cpuidle`;
    return findNames(folder)
      .filter((name) => name.startsWith('state'))
      .map((name) => {
        const state = findText(`${folder}/${name}/name`) ?? name;
        const own = this.#config.per_cpu ? { [ATTR_CPU_LOGICAL_NUMBER]: cpu } : {};
        const counter = this.#config.per_cpu ? `${cpu} ${state}` : state;
        findOrAdd(this.#columns, counter, () =>
          createColumns({ 'system.linux.cpuidle.state': state, ...own }),
        );
        const open = (file: string): KeptFile => this.#source.file(`${folder}/${name}/${file}`);
        const [counts, last] = [new Counts(2), new Counts(2)];
        return { counter, files: [open('time'), open('usage')], counts, last, wasRead: false };
      });
  }

  /** Adds what was counted since the last reading, or since the last that did not fail. */
  #addTo(state: IdleState): void {
    const { counter, counts, last, wasRead } = state;
    try {
      state.files.forEach((file, column) => parseCount(file, counts, column));
    } catch (error) {
      // A CPU that is just going offline, or another driver.
      if (isAbsent(error)) this.#seen = undefined;
      throw error;
    }
    const sum = findOrAdd(this.#sums, counter, () => new Counts(2));
    if (wasRead) addGrowth(sum, counts, last);
    this.#read.add(counter);
    state.counts = last;
    state.last = counts;
    state.wasRead = true;
  }
}

function createColumns(attributes: Attributes): readonly CounterColumn[] {
  return [
    { metric: time, attributes, perUnit: 1e6 },
    { metric: entries, attributes, perUnit: 1 },
  ];
}

function parseCount(file: KeptFile, counts: Counts, column: number): void {
  const text = file.read();
  if (counts.parseOne(column, text, 0) === text.length - 1) return;
  throw new Error(
    `Cannot parse ${file.path}: expected a whole number, found "${text.toString('latin1').trim()}"`,
  );
}

/** Adds what was counted; nothing when a count is below the last one: the driver counts from 0 again. */
function addGrowth(sum: Counts, counts: Counts, last: Counts): void {
  for (let column = 0; column < 2; column++) {
    const growth = counts.since(last, column);
    if (growth > 0) sum.set(column, sum.read(column) + growth);
  }
}

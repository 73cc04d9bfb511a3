import { checkHertz } from '../../src/linux/cpufreq.js';
import type { KeptFile } from '../../src/linux/kept-file.js';
import { findOrAdd } from '../../src/model/plan.js';
import type { Table } from '../../src/model/table.js';
import type { CounterColumn, CounterTable } from '../../src/scraping/counter-table.js';
import { Counts } from '../../src/scraping/counts.js';
import { createAbsence } from '../../src/scraping/file-gauges.js';
import { forEachLine } from '../../src/scraping/lines.js';
import type { DescribeSource, Source, Steps } from '../../src/scraping/source.js';
import type { Config } from './config.js';
import { stateTime, transitions } from './metrics.js';
import { Policies, type Policy } from './policies.js';

/**
 * Time at each frequency, and number of frequency changes, of each policy. Drivers that leave the choice to the
 * hardware, such as intel_pstate and amd-pstate, do not count them.
 */
export function describeStatistics(config: Config): DescribeSource {
  return (source) => {
    const policies = new Policies(config);
    const statistics = new Statistics(source);
    return function* (at) {
      policies.follow();
      if (statistics.isEmpty && policies.all.length === 0) throw createAbsence(policies.name);
      return [yield* statistics.read(policies.shown, at)];
    };
  };
}

class Statistics {
  readonly #source: Source;
  readonly #counters: CounterTable;
  readonly #columns = new Map<string, readonly CounterColumn[]>();
  readonly #counts = new Counts(1);

  constructor(source: Source) {
    this.#source = source;
    this.#counters = source.counters((name) => this.#columns.get(name));
  }

  /** Whether nothing was read yet. */
  get isEmpty(): boolean {
    return this.#columns.size === 0;
  }

  *read(policies: readonly Policy[], at: bigint): Steps<Table> {
    this.#counters.begin(at);
    yield* this.#source.readInSteps(
      policies.flatMap((policy) => [() => this.#addTimes(policy), () => this.#addTransitions(policy)]),
    );
    return this.#counters.finish();
  }

  /** Each line is a frequency in kilohertz and the time at it in units of 10 ms. */
  #addTimes(policy: Policy): void {
    const file = this.#source.file(`${policy.folder}/stats/time_in_state`);
    forEachLine(file.read(), (line) => {
      const end = this.#counts.parseOne(0, line, 0);
      const hertz = checkHertz(1000 * this.#counts.read(0));
      const isTime = end >= 0 && this.#counts.parseOne(0, line, end) === line.length - 1;
      if (!isTime || Number.isNaN(hertz)) throw unparsable(file, line);
      this.#add(`${policy.id} ${hertz}`, () => ({
        metric: stateTime,
        attributes: { ...policy.attributes, 'system.linux.cpufreq.frequency': hertz },
        perUnit: 100,
      }));
    });
  }

  #addTransitions({ folder, id, attributes }: Policy): void {
    const file = this.#source.file(`${folder}/stats/total_trans`);
    const text = file.read();
    if (this.#counts.parseOne(0, text, 0) !== text.length - 1) throw unparsable(file, text);
    this.#add(id, () => ({ metric: transitions, attributes, perUnit: 1 }));
  }

  #add(name: string, createColumn: () => CounterColumn): void {
    findOrAdd(this.#columns, name, () => [createColumn()]);
    this.#counters.add(name, this.#counts);
  }
}

function unparsable({ path }: KeptFile, line: Buffer): Error {
  return new Error(`Cannot parse ${path}: expected whole numbers, found "${line.toString('latin1').trim()}"`);
}

import { groupEnergyNames } from '../../src/model/energy-names.js';
import { ledgerEnergy, processEnergy } from '../../src/model/ledger-metrics.js';
import { createPlans, findOrAdd } from '../../src/model/plan.js';
import { ATTR_HW_ID, ATTR_HW_TYPE, ATTR_LEDGER_PART } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { hostEnergy, hwEnergy, isMeasuredHost, remainderType } from '../../src/model/shared-metrics.js';
import { readValue, timeOf, type Table } from '../../src/model/table.js';
import { busyTime, cpuTime, logicalCpus, processCpuTime } from '../../src/model/usage-metrics.js';
import { Counter, Span } from './counter.js';

/** What a counter is used for. */
export type Role =
  'domain' | 'host' | 'part' | 'busy' | 'cpu' | 'cpuCount' | 'processEnergy' | 'processCpu' | 'groupEnergy';

/** What a summary lists: processes, or groups of them. */
export type Listed = 'process' | 'program' | 'unit' | 'container' | 'pod' | 'job' | 'user' | 'service';

const rolesByMetric: ReadonlyMap<string, Role> = new Map([
  [hwEnergy.name, 'domain'],
  [hostEnergy.name, 'domain'],
  [ledgerEnergy.name, 'part'],
  [busyTime.name, 'busy'],
  [cpuTime.name, 'cpu'],
  [logicalCpus.name, 'cpuCount'],
  [processEnergy.name, 'processEnergy'],
  [processCpuTime.name, 'processCpu'],
]);

/** For each role, the whole that its counters are parts of. */
const wholes: Readonly<Partial<Record<Role, Role>>> = {
  part: 'part',
  processEnergy: 'part',
  groupEnergy: 'part',
  busy: 'busy',
  processCpu: 'busy',
};

/** A table column that is used. */
interface CountedColumn {
  readonly column: number;
  readonly counter: Counter;
}

/** The last readings of everything that a summary shows. */
export class Readings {
  readonly #live = new Map<Role, Map<Series, Counter>>();
  /** By whole and hardware type. */
  readonly #spans = new Map<string, Span>();
  readonly #roles: ReadonlyMap<string, Role>;
  readonly listed: Listed;
  /** Unix time in seconds of the first row. */
  #beganAt = NaN;
  /** Final values of ended counters, by role and by what they share with others. */
  readonly #ended = new Map<string, number>();
  readonly #planOf = createPlans((series: readonly Series[]) => this.#createPlan(series));

  constructor(listed: Listed = 'process') {
    this.listed = listed;
    this.#roles =
      listed === 'process'
        ? rolesByMetric
        : new Map([...rolesByMetric, [groupEnergyNames[listed], 'groupEnergy']]);
  }

  take(table: Table): void {
    const [first] = table.offsets;
    if (Number.isNaN(this.#beganAt) && first !== undefined) {
      this.#beganAt = (Number(table.epoch) + first) / 1e9;
    }
    const counters = this.#planOf(table.series);
    const lastRow = table.offsets.length - 1;
    if (lastRow >= 0) {
      const at = Number(timeOf(table, lastRow)) / 1e9;
      for (const { column, counter } of counters) counter.take(readValue(table, lastRow, column), at);
    }
    for (const series of table.ended ?? []) this.#end(series);
  }

  /** Computes the rates since the last look. */
  look(): void {
    for (const counters of this.#live.values()) {
      for (const counter of counters.values()) counter.look();
    }
    for (const span of this.#spans.values()) span.finishLook();
  }

  /** The counters that have not ended. */
  list(role: Role): readonly (readonly [Series, Counter])[] {
    return [...(this.#live.get(role) ?? [])];
  }

  /**
   * The sum of the final values of ended counters.
   * @param part of the ledger, or domain; without it, all counters of the role
   */
  sumEnded(role: Role, part?: string): number {
    if (part !== undefined) return this.#ended.get(`${role} ${part}`) ?? 0;
    const ended = [...this.#ended].filter(([key]) => key.startsWith(`${role} `));
    return ended.reduce((sum, [, joules]) => sum + joules, 0);
  }

  /** The role of the energy shown: of the domains, or, where there are none, of the host that contains them. */
  get energyRole(): 'domain' | 'host' {
    return this.#live.has('domain') ? 'domain' : 'host';
  }

  #roleOf(series: Series): Role | undefined {
    // Remainder domains are counted like measured ones, so that the parts add up to the energy of the domains.
    if (series.attributes[ATTR_HW_TYPE] === remainderType) return undefined;
    return isMeasuredHost(series) ? 'host' : this.#roles.get(series.metric.name);
  }

  #createPlan(series: readonly Series[]): readonly CountedColumn[] {
    return series.flatMap((one, column) => {
      const role = this.#roleOf(one);
      return role === undefined ? [] : [{ column, counter: this.#counterOf(one, role) }];
    });
  }

  #counterOf(series: Series, role: Role): Counter {
    const ofRole = findOrAdd(this.#live, role, () => new Map<Series, Counter>());
    return findOrAdd(ofRole, series, () => {
      const start = Number(series.start) / 1e9;
      const span = this.#spanOf(role, series);
      // What a counter held before the collector started is not shown.
      return new Counter(start >= this.#beganAt ? start : NaN, span);
    });
  }

  /**
   * Processes share the time span of the whole that they are parts of. A domain has its own: a domain that
   * starts later is not part of another one, and after a reset only what follows is known.
   */
  #spanOf(role: Role, { attributes }: Series): Span {
    const whole = wholes[role];
    if (whole === undefined) return new Span();
    return findOrAdd(this.#spans, `${whole} ${attributes[ATTR_HW_TYPE] ?? ''}`, () => new Span());
  }

  #end(series: Series): void {
    const role = this.#roleOf(series);
    if (role === undefined) return;
    const ofRole = this.#live.get(role);
    const key = `${role} ${partOf(series)}`;
    const counter = ofRole?.get(series);
    if (counter === undefined) return;
    this.#ended.set(key, this.sumEnded(role, partOf(series)) + counter.value);
    counter.end();
    ofRole?.delete(series);
  }
}

/** The ledger part or else the domain of a series; '' for neither. */
export function partOf({ attributes }: Series): string {
  return String(attributes[ATTR_LEDGER_PART] ?? attributes[ATTR_HW_ID] ?? '');
}

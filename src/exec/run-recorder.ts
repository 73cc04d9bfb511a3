import { MarkedCounter } from '../energy/marked-counter.js';
import { attributionError, attributionFloor, ledgerEnergy, processEnergy } from '../model/ledger-metrics.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import {
  ATTR_FLOOR_SOURCE,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
  ATTR_LEDGER_PART,
} from '../model/semantic-conventions.js';
import type { Attributes, Series } from '../model/series.js';
import { hostEnergy, hwEnergy, isMeasuredHost, remainderType } from '../model/shared-metrics.js';
import type { Table } from '../model/table.js';
import { DomainMeter, type DomainEnergy } from './domain-meter.js';

type Reader = (at: number, value: number) => void;

interface Column {
  readonly index: number;
  readonly read: Reader;
}

/** Collects from tables what the report of a run needs. */
export class RunRecorder {
  readonly #origin: bigint;
  readonly #marks: number[] = [];
  readonly #domains = new Map<string, DomainMeter>();
  /** Meters of the whole host, which includes the domains. */
  readonly #hosts = new Map<string, DomainMeter>();
  readonly #idle = new Map<string, MarkedCounter>();
  /** The origin of each domain's idle power. */
  readonly #floors = new Map<string, string>();
  /** The error of each domain's windows, times their length. */
  readonly #errors = new Map<string, MarkedCounter>();
  #isAttributed = false;
  /** Joules attributed to each process, by series. */
  readonly #attributed = new Map<Series, number>();
  readonly #columnsOf = createPlans((series: readonly Series[]) => this.#plan(series));

  /** @param origin Unix time in nanoseconds, near the first instant of interest: times are relative to it */
  constructor(origin: bigint) {
    this.#origin = origin;
  }

  /**
   * Marks the current instant, which must be later than every reading so far.
   * @param at Unix time in nanoseconds
   * @returns the mark's number
   */
  mark(at: bigint): number {
    return this.#marks.push(Number(at - this.#origin)) - 1;
  }

  take(table: Table): void {
    const columns = this.#columnsOf(table.series);
    if (columns.length === 0) return;
    const width = table.series.length;
    const epoch = Number(table.epoch - this.#origin);
    for (let row = 0; row < table.offsets.length; row++) {
      const at = epoch + (table.offsets[row] ?? NaN);
      for (const { index, read } of columns) read(at, table.values[row * width + index] ?? NaN);
    }
  }

  /** Seconds between a mark and the next one. */
  secondsFrom(mark: number): number {
    return ((this.#marks[mark + 1] ?? NaN) - (this.#marks[mark] ?? NaN)) / 1e9;
  }

  /** Energy of each domain between a mark and the next one; of the whole host, if no domain is measured. */
  domainsFrom(mark: number): readonly DomainEnergy[] {
    return [...this.#counted.values()].map((meter) => meter.between(mark));
  }

  /** Whether the energy is attributed. */
  get isAttributed(): boolean {
    return this.#isAttributed;
  }

  /** Idle energy of the machine between a mark and the next one, in joules. */
  idleFrom(mark: number): number {
    return [...this.#idle.values()].reduce((joules, counter) => joules + counter.between(mark), 0);
  }

  /**
   * Uncertainty in joules of the energy attributed between a mark and the next one: the mean error of the
   * windows of each domain. Undefined if unknown, because a model estimated the energy or nothing is
   * attributed.
   */
  uncertaintyFrom(mark: number): number | undefined {
    const parts = [...this.#counted].map(([key, meter]) => {
      const { joules, isEstimated } = meter.between(mark);
      const errorSeconds = isEstimated ? undefined : this.#errors.get(key)?.between(mark);
      return errorSeconds === undefined ? NaN : (joules * errorSeconds) / this.secondsFrom(mark);
    });
    const sum = parts.reduce((joules, part) => joules + part, 0);
    return parts.length === 0 || Number.isNaN(sum) ? undefined : sum;
  }

  /** Whether the idle power of every domain is known. */
  get isIdleKnown(): boolean {
    return this.#counted.size > 0 && [...this.#counted.keys()].every((key) => this.#floors.has(key));
  }

  /** Where the idle power of the domains comes from (`floor.source`), each once; empty: not known. */
  get floorSources(): readonly string[] {
    return [...new Set(this.#floors.values())];
  }

  /** Joules attributed to a process, by its identifying attributes. */
  attributedTo(identity: Attributes): number {
    const isIt = ({ resource }: Series) =>
      Object.entries(identity).every(([name, value]) => resource.attributes[name] === value);
    return [...this.#attributed].reduce((sum, [series, joules]) => sum + (isIt(series) ? joules : 0), 0);
  }

  get #counted(): ReadonlyMap<string, DomainMeter> {
    return this.#domains.size > 0 ? this.#domains : this.#hosts;
  }

  #plan(series: readonly Series[]): readonly Column[] {
    return series.flatMap((one, index) => {
      const read = this.#findReader(one);
      return read ? [{ index, read }] : [];
    });
  }

  #findReader(series: Series): Reader | undefined {
    // The report covers the domains, or the whole host.
    if (series.attributes[ATTR_HW_TYPE] === remainderType) return undefined;
    const key = domainKey(series.attributes);
    switch (series.metric.name) {
      case hwEnergy.name:
      case hostEnergy.name: {
        const meters = isMeasuredHost(series) ? this.#hosts : this.#domains;
        const meter = findOrAdd(meters, key, () => new DomainMeter(series, this.#origin, this.#marks));
        return (at, joules) => meter.read(series, at, joules);
      }
      case ledgerEnergy.name: {
        this.#isAttributed = true;
        if (series.attributes[ATTR_LEDGER_PART] !== 'idle') return undefined;
        const counter = findOrAdd(this.#idle, key, () => new MarkedCounter(this.#origin, this.#marks));
        return (at, joules) => counter.read(series, at, joules);
      }
      case processEnergy.name:
        return (_, joules) => {
          if (!Number.isNaN(joules)) this.#attributed.set(series, joules);
        };
      case attributionError.name: {
        const counter = findOrAdd(this.#errors, key, () => new MarkedCounter(this.#origin, this.#marks));
        return createIntegral(
          (at, total) => counter.read(series, at, total),
          Number(series.start - this.#origin),
        );
      }
      case attributionFloor.name:
        return (_, watts) => {
          if (!Number.isNaN(watts)) this.#floors.set(key, textOf(series.attributes, ATTR_FLOOR_SOURCE));
        };
      default:
        return undefined;
    }
  }
}

/** Integrates the values of a gauge over time: each value applies to the time before it. */
function createIntegral(read: Reader, startAt: number): Reader {
  let lastAt = startAt;
  let total = 0;
  return (at, value) => {
    if (Number.isNaN(value)) return;
    total += (value * (at - lastAt)) / 1e9;
    lastAt = at;
    read(at, total);
  };
}

function domainKey(attributes: Attributes): string {
  return `${textOf(attributes, ATTR_HW_TYPE)} ${textOf(attributes, ATTR_HW_ID)}`;
}

function textOf(attributes: Attributes, name: string): string {
  return String(attributes[name] ?? '');
}

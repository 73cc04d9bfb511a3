import { MarkedCounter } from '../energy/marked-counter.js';
import {
  attributionError,
  attributionFloor,
  attributionUnattributed,
  ledgerEnergy,
  processEnergy,
} from '../model/ledger-metrics.js';
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

/** The idle power of a domain. */
interface Floor {
  readonly watts: number;
  /** `floor.source`. */
  readonly source: string;
}

/** Collects from tables what the report of a run needs. */
export class RunRecorder {
  readonly #origin: bigint;
  readonly #marks: number[] = [];
  readonly #domains = new Map<string, DomainMeter>();
  /** Meters of the whole host, which includes the domains. */
  readonly #hosts = new Map<string, DomainMeter>();
  /** The ledger's energy of each domain: idle energy, and that of each part of the rest. */
  readonly #parts = { idle: new Map<string, MarkedCounter>(), shared: new Map<string, MarkedCounter>() };
  /** Each domain's idle power. */
  readonly #floors = new Map<string, Floor>();
  /** The error of each domain's windows, times their length. */
  readonly #errors = new Map<string, MarkedCounter>();
  /** The part of their energy that belongs to other processes than the command, times their length. */
  readonly #unattributed = new Map<string, MarkedCounter>();
  /** The length of these windows. */
  readonly #errorTimes = new Map<string, MarkedCounter>();
  readonly #integrals = new Map<Series, Reader>();
  #isAttributed = false;
  #isIdleShared = false;
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

  /** Idle energy is shared among processes, as configured. */
  shareIdle(): void {
    this.#isIdleShared = true;
  }

  /** Whether the energy is attributed. */
  get isAttributed(): boolean {
    return this.#isAttributed;
  }

  /** Idle energy of the machine between a mark and the next one, in joules: its idle power for that time. */
  idleFrom(mark: number): number {
    return [...this.#counted].reduce((sum, [key, meter]) => {
      const watts = this.#floors.get(key)?.watts ?? 0;
      // Where idle energy is shared, it is in the energy of processes.
      const idle = this.#isIdleShared
        ? this.#parts.idle.get(key)?.between(mark)
        : watts * this.secondsFrom(mark);
      return sum + Math.min(meter.between(mark).joules, idle ?? 0);
    }, 0);
  }

  /** Energy beyond idle energy between a mark and the next one that the ledger has shared, in joules. */
  sharedFrom(mark: number): number {
    return [...this.#parts.shared.values()].reduce((sum, counter) => sum + counter.between(mark), 0);
  }

  /**
   * Uncertainty in joules of the energy attributed between a mark and the next one: the mean error of the
   * windows of each domain, without the energy of processes that are not followed: that is known not to be the
   * command's. Undefined if unknown, because a model estimated the energy or nothing is attributed.
   */
  uncertaintyFrom(mark: number): number | undefined {
    const parts = [...this.#counted].map(([key, meter]) => {
      const { joules, isEstimated } = meter.between(mark);
      const all = this.#errors.get(key)?.between(mark) ?? NaN;
      const error = Math.max(0, all - (this.#unattributed.get(key)?.between(mark) ?? 0));
      // The windows of a slow meter begin later than the command.
      const seconds = this.#errorTimes.get(key)?.between(mark) ?? NaN;
      return isEstimated ? NaN : (joules * error) / seconds;
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
    return [...new Set([...this.#floors.values()].map(({ source }) => source))];
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

  /** A series is in several arrays of series, whose plans have to share its integral. */
  #integrate(series: Series, read: IntegralReader): Reader {
    const startAt = Number(series.start - this.#origin);
    return findOrAdd(this.#integrals, series, () => createIntegral(read, startAt));
  }

  #counterOf(counters: Map<string, MarkedCounter>, key: string): MarkedCounter {
    return findOrAdd(counters, key, () => new MarkedCounter(this.#origin, this.#marks));
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
        const part = textOf(series.attributes, ATTR_LEDGER_PART);
        const reason = textOf(series.attributes, 'ledger.reason');
        const counter =
          part === 'idle'
            ? this.#counterOf(this.#parts.idle, key)
            : this.#counterOf(this.#parts.shared, `${key} ${part} ${reason}`);
        return (at, joules) => counter.read(series, at, joules);
      }
      case processEnergy.name:
        return (_, joules) => {
          if (!Number.isNaN(joules)) this.#attributed.set(series, joules);
        };
      case attributionError.name: {
        const [error, time] = [this.#counterOf(this.#errors, key), this.#counterOf(this.#errorTimes, key)];
        return this.#integrate(series, (at, total, seconds) => {
          error.read(series, at, total);
          time.read(series, at, seconds);
        });
      }
      case attributionUnattributed.name: {
        const unattributed = this.#counterOf(this.#unattributed, key);
        return this.#integrate(series, (at, total) => unattributed.read(series, at, total));
      }
      case attributionFloor.name:
        return (_, watts) => {
          const source = textOf(series.attributes, ATTR_FLOOR_SOURCE);
          if (!Number.isNaN(watts)) this.#floors.set(key, { watts, source });
        };
      default:
        return undefined;
    }
  }
}

/** Receives an integral over time, and that time. */
type IntegralReader = (at: number, total: number, seconds: number) => void;

/** Integrates the values of a gauge over time: each value applies to the time before it. */
function createIntegral(read: IntegralReader, startAt: number): Reader {
  let lastAt = startAt;
  let total = 0;
  return (at, value) => {
    if (Number.isNaN(value)) return;
    total += (value * (at - lastAt)) / 1e9;
    lastAt = at;
    read(at, total, (at - startAt) / 1e9);
  };
}

function domainKey(attributes: Attributes): string {
  return `${textOf(attributes, ATTR_HW_TYPE)} ${textOf(attributes, ATTR_HW_ID)}`;
}

function textOf(attributes: Attributes, name: string): string {
  return String(attributes[name] ?? '');
}

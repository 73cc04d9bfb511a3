import type { CountedEvent } from '../../src/linux/perf/counted-event.js';
import { findRatios } from '../../src/linux/perf/ratios.js';
import { findOrAdd } from '../../src/model/plan.js';
import { ATTR_CPU_LOGICAL_NUMBER, ATTR_PERF_EVENT_NAME } from '../../src/model/semantic-conventions.js';
import { counters, ratios, runningRatio, type Column } from './metrics.js';
import type { ScaledCounts } from './scaled-counts.js';

/** The CPU and PMU that a count belongs to. */
export interface Owner {
  readonly event: CountedEvent;
  /** Undefined if CPUs are summed. */
  readonly cpu: number | undefined;
  /** Undefined if PMUs are summed. */
  readonly pmu: string | undefined;
}

/** Counts of groups, and the columns that they are added to. */
interface Link {
  readonly counts: ScaledCounts;
  /** The column of each count. */
  readonly columns: Int32Array;
}

/** The layout of a sampler's rows: counts, then running ratios, then derived values. */
export class Layout {
  columns: readonly Column[] = [];
  /** The permanent id of each column: no other column of this layout ever has it. */
  columnIds: readonly number[] = [];
  readonly #ids = new Map<string, number>();
  #links: Link[] = [];
  readonly #byKey = new Map<string, number>();
  readonly #owners: Owner[] = [];
  #counts = new Float64Array(0);
  /** Totals of retired counts. */
  #retired = new Float64Array(0);
  #scales = new Float64Array(0);
  #enabledNs = new Float64Array(0);
  #runningNs = new Float64Array(0);
  #ratioColumns = new Int32Array(0);
  #derived = new DerivedColumns([], 1);

  /** Adds counts, each with its owner; counts with the same owner are summed. */
  add(counts: ScaledCounts, owners: readonly Owner[]): void {
    this.#links.push({ counts, columns: Int32Array.from(owners, (owner) => this.#columnOf(owner)) });
  }

  /** Whether there is a column for this owner. */
  has(owner: Owner): boolean {
    return this.#byKey.has(keyOf(owner));
  }

  /** Keeps the totals of these counts in their columns, and stops reading them. Does not close them. */
  retire(counts: ScaledCounts): void {
    const link = this.#links.find((each) => each.counts === counts);
    if (link === undefined) return;
    this.#links = this.#links.filter((each) => each !== link);
    link.columns.forEach((column, i) => {
      this.#retired[column] += counts.lastTotals[i];
    });
  }

  /** Describes the columns once every owner is known; call it again after adding counts of further owners. */
  finish(hasRatio: boolean, derivedReadings: number): void {
    const width = this.#owners.length;
    [this.#counts, this.#enabledNs, this.#runningNs] = [0, 0, 0].map(() => new Float64Array(width));
    this.#retired = Float64Array.from(this.#owners, (_, column) => this.#retired[column] ?? 0);
    this.#scales = Float64Array.from(this.#owners, ({ event }) => event.scale);
    const counted = this.#owners.map((owner) => ({
      metricName: counters[owner.event.unit].name,
      attributes: describeOwner(owner),
    }));
    const ratioColumns = hasRatio ? this.#createRatios() : [];
    const derivedColumns = derivedReadings > 0 ? this.#createDerived(derivedReadings) : [];
    this.columns = [...counted, ...ratioColumns, ...derivedColumns];
    this.columnIds = this.columns.map((column) =>
      findOrAdd(this.#ids, JSON.stringify(column), () => this.#ids.size),
    );
  }

  /** Why groups could not be read the last time: `EISDIR`. */
  get error(): string | undefined {
    return this.#links.find(({ counts }) => counts.error !== undefined)?.counts.error;
  }

  get groups(): readonly ScaledCounts[] {
    return this.#links.map(({ counts }) => counts);
  }

  /** Reads every group and writes a row. */
  read(values: Float64Array, at: number): void {
    this.#sum();
    const width = this.#counts.length;
    for (let i = 0; i < width; i++) values[at + i] = this.#counts[i] * this.#scales[i];
    const ratioAt = at + width;
    for (let i = 0; i < this.#ratioColumns.length; i++) {
      const column = this.#ratioColumns[i];
      values[ratioAt + i] = this.#runningNs[column] / this.#enabledNs[column];
    }
    this.#derived.write(this.#counts, values, ratioAt + this.#ratioColumns.length);
  }

  #sum(): void {
    this.#counts.set(this.#retired);
    this.#enabledNs.fill(0);
    this.#runningNs.fill(0);
    for (const { counts, columns } of this.#links) {
      counts.read();
      for (let i = 0; i < columns.length; i++) {
        this.#counts[columns[i]] += counts.totals[i];
        this.#enabledNs[columns[i]] += counts.enabledNs;
        this.#runningNs[columns[i]] += counts.runningNs;
      }
    }
  }

  #columnOf(owner: Owner): number {
    const key = keyOf(owner);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const column = this.#owners.push(owner) - 1;
    this.#byKey.set(key, column);
    return column;
  }

  #createRatios(): readonly Column[] {
    const taken = this.#owners.flatMap(({ event }, column) => (event.isSoftware ? [] : [column]));
    this.#ratioColumns = Int32Array.from(taken);
    return this.#describe(runningRatio.name, taken);
  }

  #createDerived(readings: number): readonly Column[] {
    const found = findRatios([...new Set(this.#owners.map(({ event }) => event))]);
    const pairs: [numerator: number, denominator: number][] = [];
    const columns = found.flatMap(({ kind, numerator, denominator }) => {
      const numerators = this.#owners.flatMap(({ event }, column) => (event === numerator ? [column] : []));
      const complete = numerators.flatMap((column): [number, number][] => {
        const other = this.#byKey.get(keyOf({ ...this.#owners[column], event: denominator }));
        return other === undefined ? [] : [[column, other]];
      });
      pairs.push(...complete);
      const numeratorColumns = complete.map(([column]) => column);
      return this.#describe(ratios[kind].name, numeratorColumns);
    });
    this.#derived = new DerivedColumns(pairs, readings);
    return columns;
  }

  #describe(metricName: string, columns: readonly number[]): readonly Column[] {
    return columns.map((column) => ({ metricName, attributes: describeOwner(this.#owners[column]) }));
  }
}

function keyOf({ event, cpu, pmu }: Owner): string {
  return JSON.stringify([event.name, cpu, pmu]);
}

function describeOwner({ event, cpu, pmu }: Owner): Column['attributes'] {
  return {
    [ATTR_PERF_EVENT_NAME]: event.name,
    ...(cpu !== undefined && { [ATTR_CPU_LOGICAL_NUMBER]: cpu }),
    ...(pmu !== undefined && { 'perf.pmu': pmu }),
  };
}

/** Ratios of columns over consecutive windows of readings: each shows the last complete window. */
export class DerivedColumns {
  readonly #pairs: readonly (readonly [numerator: number, denominator: number])[];
  readonly #readings: number;
  readonly #before: Float64Array;
  readonly #shown: Float64Array;
  #left = 0;

  /**
   * @param pairs columns of counts
   * @param readings number per window
   */
  constructor(pairs: readonly (readonly [numerator: number, denominator: number])[], readings: number) {
    this.#pairs = pairs;
    this.#readings = readings;
    this.#before = new Float64Array(2 * pairs.length).fill(NaN);
    this.#shown = new Float64Array(pairs.length).fill(NaN);
  }

  /** Writes the ratios; NaN before the end of the first window, and for 0/0. */
  write(counts: Float64Array, values: Float64Array, at: number): void {
    if (this.#left === 0) {
      this.#close(counts);
      this.#left = this.#readings;
    }
    this.#left--;
    for (let i = 0; i < this.#shown.length; i++) values[at + i] = this.#shown[i];
  }

  #close(counts: Float64Array): void {
    for (let i = 0; i < this.#pairs.length; i++) {
      const [numerator, denominator] = this.#pairs[i];
      const grown = counts[denominator] - this.#before[2 * i + 1];
      this.#shown[i] = grown > 0 ? (counts[numerator] - this.#before[2 * i]) / grown : NaN;
      this.#before[2 * i] = counts[numerator];
      this.#before[2 * i + 1] = counts[denominator];
    }
  }
}

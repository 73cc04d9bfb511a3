import { elementAt } from '../element.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import type {
  AnySeries,
  HistogramMetric,
  HistogramSeries,
  Metric,
  Resource,
  Series,
} from '../model/series.js';
import type { Table } from '../model/table.js';
import { KnownLayouts } from './histogram-assembler.js';
import {
  buffersOfHistograms,
  packHistograms,
  unpackHistograms,
  type PackedHistograms,
} from './histogram-parcel.js';
import { isHistogramSeries, isNumberSeries } from './recorded-series.js';
import { isHistograms, isNumbers, type RecordedTable } from './recorded-table.js';

// Transfer of tables between threads. Series are sent once and are ids from then on; the numbers of all tables
// of a parcel are in a few arrays, so that a parcel costs the receiving thread little more than a copy.

/** Series and column sets that are new to the other thread, and ids that it may forget. */
export interface Introduction {
  readonly series: readonly (readonly [number, AnySeries])[];
  readonly forgotten: readonly number[];
  /** Some columns of a set: its id, then the ids of these series, which follow the earlier ones. */
  readonly columns: readonly [number, Float64Array<ArrayBuffer>] | undefined;
}

/** Tables, concatenated in each of the arrays. */
export interface Parcel {
  readonly epochs: BigInt64Array<ArrayBuffer>;
  /**
   * For each table: the id of its column set, its number of rows, and the number of ended series. The id is 0
   * for a table of histograms: it is the next one of those below.
   */
  readonly shapes: Float64Array<ArrayBuffer>;
  readonly ended: Float64Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
  readonly histograms: readonly PackedHistograms[];
}

const histogramSet = 0;

const shapeLength = 3;
/** Maximum series and ids per message, so that a message does not block a thread for long. */
const introducedAtATime = 500;
const numbersAtATime = 5000;

/** The buffers that can be transferred with this parcel. */
export function buffersOf({ epochs, shapes, ended, offsets, values, histograms }: Parcel): ArrayBuffer[] {
  const arrays = [epochs, shapes, ended, offsets, values].map(({ buffer }) => buffer);
  return [...arrays, ...histograms.flatMap(buffersOfHistograms)];
}

/** Converts tables to parcels. */
export class TablePacker {
  readonly #numbers = new WeakMap<object, number>();
  /** Objects that were garbage-collected in this thread need not be kept in the other one. */
  readonly #registry = new FinalizationRegistry<number>((number) => void this.#forgotten.push(number));
  #forgotten: number[] = [];
  #lastNumber = 0;

  /**
   * The messages to send before the parcel of these tables, small ones. Each is built on demand, so that the
   * caller can yield to other work in between.
   */
  *introduce(tables: readonly RecordedTable[]): Iterable<Introduction> {
    while (this.#forgotten.length > 0) {
      yield { series: [], forgotten: this.#forgotten.splice(0, numbersAtATime), columns: undefined };
    }
    for (const table of tables) {
      const { series, ended } = table;
      // Rows of histograms have the ids of their series, and no column set.
      if (isHistograms(table)) yield* this.#introduceSet(series, undefined);
      else if (!this.#numbers.has(series)) yield* this.#introduceSet(series, this.#numberOf(series));
      if (ended) yield* this.#introduceSet(ended, undefined);
    }
  }

  /** @param set undefined: only the series matter */
  *#introduceSet(members: readonly AnySeries[], set: number | undefined): Iterable<Introduction> {
    let series: [number, AnySeries][] = [];
    let numbers: number[] = [];
    for (const [i, one] of members.entries()) {
      if (!this.#numbers.has(one)) series.push([this.#numberOf(one), plainSeries(one)]);
      numbers.push(this.#numberOf(one));
      const isFull = series.length === introducedAtATime || numbers.length === numbersAtATime;
      if (!isFull && i < members.length - 1) continue;
      const columns = set === undefined ? undefined : ([set, Float64Array.from(numbers)] as const);
      if (series.length > 0 || columns) yield { series, forgotten: [], columns };
      series = [];
      numbers = [];
    }
  }

  /** The tables, whose series have been introduced. */
  pack(tables: readonly RecordedTable[]): Parcel {
    const shapes = tables.flatMap((table) => [
      isHistograms(table) ? histogramSet : this.#numberOf(table.series),
      table.offsets.length,
      table.ended?.length ?? 0,
    ]);
    const numbers = tables.filter(isNumbers);
    const numberOf = (series: AnySeries) => this.#numberOf(series);
    return {
      epochs: BigInt64Array.from(tables, ({ epoch }) => epoch),
      shapes: Float64Array.from(shapes),
      ended: Float64Array.from(
        tables.flatMap(({ ended = [] }): readonly AnySeries[] => ended),
        numberOf,
      ),
      offsets: joinArrays(numbers.map(({ offsets }) => offsets)),
      values: joinArrays(numbers.map(({ values }) => values)),
      histograms: tables.filter(isHistograms).map((table) => packHistograms(table, numberOf)),
    };
  }

  #numberOf(object: object): number {
    const known = this.#numbers.get(object);
    if (known !== undefined) return known;
    this.#lastNumber += 1;
    this.#numbers.set(object, this.#lastNumber);
    this.#registry.register(object, this.#lastNumber);
    return this.#lastNumber;
  }
}

/** Converts parcels to tables. A series that was sent twice is one object. */
export class TableUnpacker {
  readonly #series = new Map<number, AnySeries>();
  readonly #sets = new Map<number, Series[]>();
  readonly #live = new Set<AnySeries>();
  readonly #layouts = new KnownLayouts();

  /** Series that have not ended. */
  get live(): readonly AnySeries[] {
    return [...this.#live];
  }

  meet({ series, forgotten, columns }: Introduction): void {
    for (const number of forgotten) this.#forget(number);
    for (const [number, one] of series) {
      this.#series.set(number, one);
      this.#live.add(one);
    }
    if (columns === undefined) return;
    const [set, members] = columns;
    const known = findOrAdd(this.#sets, set, () => []);
    for (const number of members) known.push(this.#findNumbers(number));
  }

  unpack(parcel: Parcel): readonly RecordedTable[] {
    const { epochs, shapes, ended, offsets, values, histograms } = parcel;
    const at = { offset: 0, value: 0, ended: 0, histograms: 0 };
    return Array.from(epochs, (epoch, i): RecordedTable => {
      const shapeOf = (part: number) => elementAt(shapes, i * shapeLength + part);
      const [set, rows, ends] = [shapeOf(0), shapeOf(1), shapeOf(2)];
      const endedHere = ended.subarray(at.ended, (at.ended += ends));
      if (set === histogramSet) {
        const packed = elementAt(histograms, at.histograms++);
        const table = unpackHistograms(packed, epoch, (number) => this.#findHistograms(number));
        const layouts = table.layouts.map((one, row) =>
          this.#layouts.find(elementAt(table.series, row), one),
        );
        const gone = Array.from(endedHere, (number) => this.#end(this.#findHistograms(number)));
        return { ...table, layouts, ...(ends > 0 && { ended: gone }) };
      }
      const series = this.#sets.get(set) ?? [];
      const cells = rows * series.length;
      const table: Table = {
        series,
        epoch,
        offsets: offsets.subarray(at.offset, (at.offset += rows)),
        values: values.subarray(at.value, (at.value += cells)),
      };
      const gone = Array.from(endedHere, (number) => this.#end(this.#findNumbers(number)));
      return { ...table, ...(ends > 0 && { ended: gone }) };
    });
  }

  #end<S extends AnySeries>(series: S): S {
    this.#live.delete(series);
    return series;
  }

  #forget(number: number): void {
    const series = this.#series.get(number);
    if (series) this.#live.delete(series);
    this.#series.delete(number);
    this.#sets.delete(number);
  }

  #findNumbers(number: number): Series {
    const series = this.#series.get(number);
    if (series && isNumberSeries(series)) return series;
    throw unknownSeries(number);
  }

  #findHistograms(number: number): HistogramSeries {
    const series = this.#series.get(number);
    if (series && isHistogramSeries(series)) return series;
    throw unknownSeries(number);
  }
}

function unknownSeries(number: number): Error {
  return new Error(`Cannot unpack a table: expected a known series, found ${number}`);
}

/** Without fields added by a component, which may not be cloneable. */
function plainSeries({ metric, resource, attributes, start }: AnySeries): AnySeries {
  return { metric: plainMetric(metric), resource: plainResource(resource), attributes, start };
}

const plainMetric = createPlans((metric: Metric | HistogramMetric): Metric | HistogramMetric => {
  const { name, unit, description } = metric;
  if (!('valueType' in metric)) return { name, unit, description, kind: metric.kind };
  return { name, unit, description, kind: metric.kind, valueType: metric.valueType };
});

const plainResource = createPlans(({ attributes }: Resource): Resource => ({ attributes }));

function joinArrays(arrays: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const joined = new Float64Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}

import { elementAt } from '../element.js';
import { createPlans } from '../model/plan.js';
import type { Metric, Resource, Series } from '../model/series.js';
import type { Table } from '../model/table.js';

// Tables on their way from one thread to another. Series cross once and are numbers from then on; the numbers of all
// tables of a parcel are in a few arrays, so that a parcel costs the receiving thread little more than a copy.

/** Series that the other thread does not know yet, and numbers that it may forget. */
export interface Introduction {
  readonly series: readonly (readonly [number, Series])[];
  readonly forgotten: readonly number[];
}

/** Tables, one after the other in each of the arrays. */
export interface Parcel {
  /** Sets of columns that are new: their number, then the numbers of their series. */
  readonly sets: readonly (readonly [number, readonly number[]])[];
  readonly epochs: BigInt64Array<ArrayBuffer>;
  /** Of each table: the number of its columns' set, how many rows it has, and how many series ended. */
  readonly shapes: Float64Array<ArrayBuffer>;
  readonly ended: Float64Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

const shapeLength = 3;
/** Series of one message: a thread is not held for long by any. */
const introducedAtATime = 500;

/** The buffers that a message with this parcel may take along. */
export function buffersOf({ epochs, shapes, ended, offsets, values }: Parcel): ArrayBuffer[] {
  return [epochs, shapes, ended, offsets, values].map(({ buffer }) => buffer);
}

/** Makes parcels of tables. */
export class TablePacker {
  readonly #numbers = new WeakMap<object, number>();
  /** What is gone from this thread need not be kept in the other one. */
  readonly #registry = new FinalizationRegistry<number>((number) => void this.#forgotten.push(number));
  #forgotten: number[] = [];
  #lastNumber = 0;

  /** What has to be sent before the parcel of these tables, in messages that are small. */
  introduce(tables: readonly Table[]): readonly Introduction[] {
    const series: [number, Series][] = [];
    const sets = tables.flatMap((table) => [table.series, ...(table.ended ? [table.ended] : [])]);
    for (const set of new Set(sets)) if (!this.#numbers.has(set)) this.#addNew(set, series);
    const introductions: Introduction[] = [];
    for (let from = 0; from < series.length || this.#forgotten.length > 0; from += introducedAtATime) {
      introductions.push({
        series: series.slice(from, from + introducedAtATime),
        forgotten: this.#forgotten.splice(0),
      });
    }
    return introductions;
  }

  /** The tables, whose series have been introduced. */
  pack(tables: readonly Table[]): Parcel {
    const sets: [number, readonly number[]][] = [];
    const shapes = tables.flatMap(({ series, offsets, ended = [] }) => {
      const known = this.#numbers.get(series);
      const set = known ?? this.#numberOf(series);
      if (known === undefined) sets.push([set, series.map((one) => this.#numberOf(one))]);
      return [set, offsets.length, ended.length];
    });
    return {
      sets,
      epochs: BigInt64Array.from(tables, ({ epoch }) => epoch),
      shapes: Float64Array.from(shapes),
      ended: Float64Array.from(
        tables.flatMap(({ ended = [] }) => ended),
        (one) => this.#numberOf(one),
      ),
      offsets: joinArrays(tables.map(({ offsets }) => offsets)),
      values: joinArrays(tables.map(({ values }) => values)),
    };
  }

  #addNew(series: readonly Series[], to: [number, Series][]): void {
    for (const one of series) {
      if (!this.#numbers.has(one)) to.push([this.#numberOf(one), plainSeries(one)]);
    }
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

/** Makes tables of parcels again. A series that crossed twice is one object. */
export class TableUnpacker {
  readonly #series = new Map<number, Series>();
  readonly #sets = new Map<number, readonly Series[]>();
  readonly #live = new Set<Series>();

  /** Series that have not ended. */
  get live(): readonly Series[] {
    return [...this.#live];
  }

  meet({ series, forgotten }: Introduction): void {
    for (const number of forgotten) this.#forget(number);
    for (const [number, one] of series) {
      this.#series.set(number, one);
      this.#live.add(one);
    }
  }

  unpack({ sets, epochs, shapes, ended, offsets, values }: Parcel): readonly Table[] {
    for (const [number, members] of sets)
      this.#sets.set(
        number,
        members.map((one) => this.#find(one)),
      );
    const at = { offset: 0, value: 0, ended: 0 };
    return Array.from(epochs, (epoch, i) => {
      const shapeOf = (part: number) => elementAt(shapes, i * shapeLength + part);
      const [set, rows, ends] = [shapeOf(0), shapeOf(1), shapeOf(2)];
      const series = this.#sets.get(set) ?? [];
      const cells = rows * series.length;
      const table = {
        series,
        epoch,
        offsets: offsets.subarray(at.offset, (at.offset += rows)),
        values: values.subarray(at.value, (at.value += cells)),
      };
      if (ends === 0) return table;
      return {
        ...table,
        ended: Array.from(ended.subarray(at.ended, (at.ended += ends)), (one) => this.#end(one)),
      };
    });
  }

  #end(number: number): Series {
    const series = this.#find(number);
    this.#live.delete(series);
    return series;
  }

  #forget(number: number): void {
    const series = this.#series.get(number);
    if (series) this.#live.delete(series);
    this.#series.delete(number);
    this.#sets.delete(number);
  }

  #find(number: number): Series {
    const series = this.#series.get(number);
    if (series === undefined)
      throw new Error(`Cannot unpack a table: expected a known series, found ${number}`);
    return series;
  }
}

/** Without what a component may have added, which may not be able to cross. */
function plainSeries({ metric, resource, attributes, start }: Series): Series {
  return { metric: plainMetric(metric), resource: plainResource(resource), attributes, start };
}

const plainMetric = createPlans(({ name, unit, description, kind, valueType }: Metric): Metric => ({
  name,
  unit,
  description,
  kind,
  valueType,
}));

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

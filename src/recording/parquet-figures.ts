import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import type { ByteWriter } from 'hyparquet-writer';
import {
  histogramColumns,
  listColumns,
  wholeColumns,
  type Figure,
  type Figures,
  type HistogramColumn,
} from './histogram-columns.js';
import type { PageWriter } from './parquet-pages.js';

// The columns of histograms: numbers, and lists of numbers as three-level lists of the Parquet format.

/** Whole-number columns of 32 bits; the others have 64 bits, unsigned. */
const smallColumns: ReadonlySet<HistogramColumn> = new Set(['scale', 'positive_offset', 'negative_offset']);

/** Path between the name of a list and its elements. */
const listPath = ['list', 'element'] as const;

/** The columns of histograms in Parquet's schema; in a list, the column is the last element. */
export const figureElements: readonly (readonly SchemaElement[])[] = histogramColumns.map((column) => {
  if (!listColumns.has(column)) return [{ name: column, ...typeOf(column), repetition_type: 'OPTIONAL' }];
  return [
    {
      name: column,
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
      repetition_type: 'OPTIONAL',
    },
    { name: listPath[0], num_children: 1, repetition_type: 'REPEATED' },
    { name: listPath[1], ...typeOf(column), repetition_type: 'REQUIRED' },
  ];
});

function typeOf(column: HistogramColumn): Pick<SchemaElement, 'type' | 'converted_type'> {
  if (smallColumns.has(column)) return { type: 'INT32' };
  return wholeColumns.has(column) ? { type: 'INT64', converted_type: 'UINT_64' } : { type: 'DOUBLE' };
}

/** Consecutive rows: histograms, or this many rows without one. */
export type FigureRows = readonly Figures[] | number;

/** Definition levels of a list column: no list, an empty list, an element. */
const [isNone, isEmpty, isElement] = [0, 1, 2] as const;

/** Writes a column of histograms. */
export function writeFigures(
  rows: readonly FigureRows[],
  column: HistogramColumn,
  { body, pages }: { readonly body: ByteWriter; readonly pages: PageWriter },
): ColumnMetaData {
  const isList = listColumns.has(column);
  const present = isList ? isElement : 1;
  const append = appenderOf(column, body);
  const levels = new Levels();
  for (const run of rows) {
    if (typeof run === 'number') levels.repeat(run);
    else for (const figures of run) addFigure(figures[column], { levels, present, append });
  }
  pages.begin();
  const path = isList ? [column, ...listPath] : [column];
  return pages.figures({ ...levels.take(), present, body: body.getBytes() }, path, typeOf(column).type);
}

interface FigureTarget {
  readonly levels: Levels;
  /** Definition level of an entry with a number. */
  readonly present: number;
  append(value: number): void;
}

function addFigure(figure: Figure, { levels, present, append }: FigureTarget): void {
  if (figure === undefined) levels.add(isNone, 0);
  else if (typeof figure === 'number') {
    levels.add(present, 0);
    append(figure);
  } else if (figure.length === 0) levels.add(isEmpty, 0);
  else {
    for (const [i, value] of figure.entries()) {
      levels.add(present, i === 0 ? 0 : 1);
      append(value);
    }
  }
}

function appenderOf(column: HistogramColumn, body: ByteWriter): (value: number) => void {
  body.index = 0;
  if (smallColumns.has(column)) return (value) => body.appendInt32(value);
  if (!wholeColumns.has(column)) return (value) => body.appendFloat64(value);
  // Counts beyond 63 bits are stored as the same bits, unsigned.
  return (value) => body.appendInt64(BigInt.asIntN(64, BigInt(value)));
}

/** The levels of a column, which grow. */
class Levels {
  #definition = new Uint8Array(1024);
  #repetition = new Uint8Array(1024);
  #length = 0;
  #rows = 0;

  add(definition: number, repetition: number): void {
    if (this.#length === this.#definition.length) this.#grow(2 * this.#length);
    this.#definition[this.#length] = definition;
    this.#repetition[this.#length] = repetition;
    this.#length += 1;
    if (repetition === 0) this.#rows += 1;
  }

  /** Adds this many empty rows. */
  repeat(times: number): void {
    const end = this.#length + times;
    if (end > this.#definition.length) this.#grow(2 * end);
    this.#definition.fill(isNone, this.#length, end);
    this.#repetition.fill(0, this.#length, end);
    this.#length = end;
    this.#rows += times;
  }

  take() {
    return {
      definition: this.#definition.subarray(0, this.#length),
      repetition: this.#repetition.subarray(0, this.#length),
      rows: this.#rows,
    };
  }

  #grow(length: number): void {
    const [definition, repetition] = [new Uint8Array(length), new Uint8Array(length)];
    definition.set(this.#definition.subarray(0, this.#length));
    repetition.set(this.#repetition.subarray(0, this.#length));
    this.#definition = definition;
    this.#repetition = repetition;
  }
}

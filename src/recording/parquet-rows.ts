import type { ColumnMetaData, SchemaElement, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { deltaBinaryPack } from 'hyparquet-writer/src/delta.js';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { Figures } from './histogram-columns.js';
import type { PageWriter } from './parquet-pages.js';
import { isHistograms, type RecordedTable } from './recorded-table.js';

/** A value of series in a column, and its index in the dictionary of a row group. */
interface Cell {
  readonly value: string | bigint;
  group: number;
  index: number;
}

/** The values of a series by column; undefined: none. */
export type Cells = readonly (Cell | undefined)[];

/** A table, with the cells of a row: of each series, or of each histogram. */
export interface Block {
  readonly table: RecordedTable;
  readonly cells: readonly Cells[];
  /** The figures of each histogram. */
  readonly figures?: readonly Figures[];
}

/** Number of rows in the file for a block. */
export function countRows({ table, cells }: Block): number {
  return cells.length * timesOf(table);
}

/** How often the cells repeat: once per instant; once for histograms, which each have their own. */
function timesOf(table: RecordedTable): number {
  return isHistograms(table) ? 1 : table.offsets.length;
}

/** Arrays as long as the longest row group, shared by all columns one after another. */
export class Scratch {
  readonly page = new ByteWriter();
  indexes = new Uint32Array(0);
  levels = new Uint8Array(0);
  times = new BigInt64Array(0);
  values = new DataView(new ArrayBuffer(0));

  reserve(rows: number): void {
    if (rows <= this.indexes.length) return;
    this.indexes = new Uint32Array(rows);
    this.levels = new Uint8Array(rows);
    this.times = new BigInt64Array(rows);
    this.values = new DataView(new ArrayBuffer(rows * doubleBytes));
  }

  /** An empty page. */
  begin(): ByteWriter {
    this.page.index = 0;
    return this.page;
  }
}

const doubleBytes = 8;

/** Where columns are written. */
interface Target {
  readonly scratch: Scratch;
  readonly pages: PageWriter;
}

/** A column with the same value in all rows of a series: a dictionary, and an index for each row. */
export class SeriesColumn {
  readonly #element: SchemaElement;
  readonly #column: number;
  readonly #isRanged: boolean;
  readonly #cells = new Map<string | bigint, Cell>();
  #group = 0;

  /**
   * @param column index of this column in the cells of a series
   * @param isRanged whether to write statistics, by which readers filter
   */
  constructor(element: SchemaElement, column: number, isRanged: boolean) {
    this.#element = element;
    this.#column = column;
    this.#isRanged = isRanged;
  }

  /** Number of values kept. */
  get size(): number {
    return this.#cells.size;
  }

  /** The cell with this value: the same object each time. */
  cellOf(value: string | bigint | undefined): Cell | undefined {
    if (value === undefined) return undefined;
    const known = this.#cells.get(value);
    if (known) return known;
    const cell = { value, group: 0, index: 0 };
    this.#cells.set(value, cell);
    return cell;
  }

  /** Writes the column for these blocks. */
  write(blocks: readonly Block[], { scratch, pages }: Target): ColumnMetaData {
    this.#group += 1;
    const dictionary: Cell[] = [];
    const { rows, present } = this.#number(blocks, dictionary, scratch);
    pages.begin();
    const hasValues = dictionary.length > 0;
    if (hasValues) pages.dictionary(dictionary.length, writeDictionary(dictionary, scratch));
    const body = scratch.begin();
    if (hasValues) writeIndexes(body, scratch.indexes.subarray(0, present), dictionary.length);
    const page = {
      encoding: hasValues ? 'RLE_DICTIONARY' : 'PLAIN',
      rows,
      levels: present === rows ? undefined : scratch.levels.subarray(0, rows),
      nulls: rows - present,
      body: body.getBytes(),
    } as const;
    const column = pages.values(page, this.#element);
    return this.#isRanged ? { ...column, statistics: rangeOf(dictionary) } : column;
  }

  /** Assigns dictionary indexes to the cells of all rows. They are the same in each row of a table. */
  #number(blocks: readonly Block[], dictionary: Cell[], { levels, indexes }: Scratch) {
    let [rows, present] = [0, 0];
    for (const { table, cells } of blocks) {
      const times = timesOf(table);
      const added = this.#addRow(cells, dictionary, {
        levels: levels.subarray(rows),
        indexes: indexes.subarray(present),
      });
      repeat(levels, rows, { length: cells.length, times });
      repeat(indexes, present, { length: added, times });
      rows += cells.length * times;
      present += added * times;
    }
    return { rows, present };
  }

  /** @returns number of cells of the row with a value */
  #addRow(
    series: readonly Cells[],
    dictionary: Cell[],
    { levels, indexes }: Pick<Scratch, 'levels' | 'indexes'>,
  ): number {
    let count = 0;
    for (let i = 0; i < series.length; i += 1) {
      const cell = series[i][this.#column];
      levels[i] = cell === undefined ? 0 : 1;
      if (cell === undefined) continue;
      if (cell.group !== this.#group) {
        cell.group = this.#group;
        cell.index = dictionary.push(cell) - 1;
      }
      indexes[count++] = cell.index;
    }
    return count;
  }
}

/**
 * Repeats this many elements of an array until the given number of copies exists. Doubles the copied part each
 * time.
 */
function repeat(
  array: Uint8Array | Uint32Array,
  from: number,
  { length, times }: { readonly length: number; readonly times: number },
): void {
  const end = from + length * times;
  for (let filled = length; filled > 0 && from + filled < end; filled *= 2) {
    array.copyWithin(from + filled, from, Math.min(from + filled, end - filled));
  }
}

function writeDictionary(cells: readonly Cell[], scratch: Scratch): Uint8Array {
  const page = scratch.begin();
  for (const { value } of cells) {
    if (typeof value === 'bigint') page.appendInt64(value);
    else {
      const bytes = Buffer.from(value);
      page.appendUint32(bytes.length);
      page.appendBytes(bytes);
    }
  }
  return page.getBytes();
}

/** The indexes, preceded by their bit width. */
function writeIndexes(page: ByteWriter, indexes: Uint32Array, count: number): void {
  const bits = 32 - Math.clz32(count - 1);
  page.appendUint8(bits);
  writeRleBitPackedHybrid(page, indexes, bits);
}

/** The first and the last text in byte order. */
function rangeOf(cells: readonly Cell[]): Statistics {
  const texts = cells.map(({ value }) => Buffer.from(String(value))).toSorted((a, b) => a.compare(b));
  const [least, greatest] = [texts.at(0), texts.at(-1)];
  return { null_count: 0n, ...(least && greatest && { min_value: least, max_value: greatest }) };
}

/** The instants of all rows. */
export function writeTimes(
  blocks: readonly Block[],
  element: SchemaElement,
  { scratch, pages }: Target,
): ColumnMetaData {
  const { times } = scratch;
  let [rows, least, greatest] = [0, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const { table } of blocks) {
    const { series, epoch, offsets } = table;
    const width = isHistograms(table) ? 1 : series.length;
    for (const offset of offsets) {
      const at = epoch + BigInt(offset);
      times.fill(at, rows, (rows += width));
      if (at < least) least = at;
      if (at > greatest) greatest = at;
    }
  }
  pages.begin();
  const body = scratch.begin();
  deltaBinaryPack(body, times.subarray(0, rows), 'INT64');
  const page = {
    encoding: 'DELTA_BINARY_PACKED',
    rows,
    levels: undefined,
    nulls: 0,
    body: body.getBytes(),
  } as const;
  const column = pages.values(page, element);
  return { ...column, statistics: { null_count: 0n, min_value: least, max_value: greatest } };
}

/**
 * The values of all rows; histograms have none. Gaps are null: data frames treat null as missing, and NaN as a
 * number.
 */
export function writeValues(
  blocks: readonly Block[],
  element: SchemaElement,
  { scratch, pages }: Target,
): ColumnMetaData {
  const { levels, values: doubles } = scratch;
  let [rows, present, least, greatest] = [0, 0, Infinity, -Infinity];
  for (const { table } of blocks) {
    if (isHistograms(table)) {
      levels.fill(0, rows, (rows += table.series.length));
      continue;
    }
    const { values } = table;
    for (let cell = 0; cell < values.length; cell += 1, rows += 1) {
      const value = values[cell];
      levels[rows] = Number.isNaN(value) ? 0 : 1;
      if (Number.isNaN(value)) continue;
      doubles.setFloat64(doubleBytes * present, value, true);
      present += 1;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  pages.begin();
  const page = {
    encoding: 'PLAIN',
    rows,
    levels: present === rows ? undefined : levels.subarray(0, rows),
    nulls: rows - present,
    body: new Uint8Array(doubles.buffer, 0, doubleBytes * present),
  } as const;
  const column = pages.values(page, element);
  return {
    ...column,
    statistics: { null_count: BigInt(rows - present), ...boundsOf(least, greatest, present) },
  };
}

/** The Parquet format requires -0 for a minimum of 0, and 0 for a maximum of -0. */
function boundsOf(least: number, greatest: number, count: number): Statistics {
  if (count === 0) return {};
  return { min_value: least === 0 ? -0 : least, max_value: greatest === 0 ? 0 : greatest };
}

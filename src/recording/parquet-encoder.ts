import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { elementAt } from '../element.js';
import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { createEndRow, endedState } from './cell-text.js';
import { fieldsOf, parquetSchema, type ParquetColumn } from './parquet-columns.js';
import { ParquetFooter } from './parquet-footer.js';
import { PageWriter } from './parquet-pages.js';
import { Scratch, SeriesColumn, writeTimes, writeValues, type Block, type Cells } from './parquet-rows.js';

const timeColumn = 'time' satisfies ParquetColumn;
const valueColumn = 'value' satisfies ParquetColumn;
/** Readers ask for ranges of names, apart from instants and values. */
const rangedColumn = 'metric' satisfies ParquetColumn;
/** More values than this of a column are not remembered from one row group to the next. */
const maxCells = 65_536;

const magic = Buffer.from('PAR1');

type CellsOf = (series: readonly Series[]) => readonly Cells[];

/**
 * Writes tables as Parquet: a row group for every time that something is taken, and a footer that makes a whole file of
 * everything before it.
 */
export class ParquetEncoder {
  readonly #attributeColumns: readonly string[];
  readonly #elements: readonly SchemaElement[];
  readonly #footer: ParquetFooter;
  readonly #out = new ByteWriter();
  readonly #target = { scratch: new Scratch(), pages: new PageWriter(this.#out) };
  /** Those that remember the values of series. */
  #columns: readonly SeriesColumn[] = [];
  #cellsOf: CellsOf = () => [];
  #endCellsOf: CellsOf = () => [];

  /** @param attributeColumns attributes that have a column of their own, beside `resource` and `attributes` */
  constructor(attributeColumns: readonly string[]) {
    const schema = parquetSchema(attributeColumns);
    this.#attributeColumns = attributeColumns;
    this.#elements = schema.slice(1);
    this.#footer = new ParquetFooter(schema);
    this.#out.appendBytes(magic);
    this.#forget();
  }

  /** How many row groups were written. */
  get rowGroups(): number {
    return this.#footer.rowGroups;
  }

  /** The next bytes of the file: a row group with the points of these tables. */
  encode(tables: readonly Table[]): Buffer {
    if (this.#columns.some(({ size }) => size > maxCells)) this.#forget();
    const blocks = tables
      .flatMap((table) => this.#blocksOf(table))
      .filter(({ table }) => table.values.length > 0);
    const rows = blocks.reduce((sum, { table }) => sum + table.values.length, 0);
    if (rows > 0) {
      this.#target.scratch.reserve(rows);
      this.#footer.add(
        this.#elements.map((element, column) => this.#write(element, column, blocks)),
        rows,
      );
    }
    return this.#take();
  }

  /** What has to stand after everything so far, for as long as nothing follows. */
  footer(): Buffer {
    return this.#footer.bytes();
  }

  #write(element: SchemaElement, column: number, blocks: readonly Block[]): ColumnMetaData {
    if (element.name === timeColumn) return writeTimes(blocks, element, this.#target);
    if (element.name === valueColumn) return writeValues(blocks, element, this.#target);
    return elementAt(this.#columns, column).write(blocks, this.#target);
  }

  /** The rows of a table, then one without a value for each series that ended. */
  #blocksOf(table: Table): readonly Block[] {
    const rows = { table, cells: this.#cellsOf(table.series) };
    if (table.ended === undefined || table.ended.length === 0) return [rows];
    return [rows, { table: createEndRow(table, table.ended), cells: this.#endCellsOf(table.ended) }];
  }

  /** Forgets the values of series, most of which may be gone. */
  #forget(): void {
    const columns = this.#elements.map(
      (element, column) => new SeriesColumn(element, column, element.name === rangedColumn),
    );
    const createCellsOf = (state: string | undefined): CellsOf => {
      const cellsOf = createPlans((series: Series) =>
        fieldsOf(series, state, this.#attributeColumns).map((field, i) =>
          elementAt(columns, i).cellOf(field),
        ),
      );
      return createPlans((series: readonly Series[]) => series.map(cellsOf));
    };
    this.#columns = columns;
    this.#cellsOf = createCellsOf(undefined);
    this.#endCellsOf = createCellsOf(endedState);
  }

  #take(): Buffer {
    const bytes = Buffer.from(this.#out.getBytes());
    this.#out.index = 0;
    return bytes;
  }
}

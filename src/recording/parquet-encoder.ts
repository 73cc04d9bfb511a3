import type { ColumnMetaData, SchemaElement } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { elementAt } from '../element.js';
import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { AnySeries } from '../model/series.js';
import { createEndRow, createHistogramEndRows, endedState } from './cell-text.js';
import { figuresOf, histogramColumns } from './histogram-columns.js';
import { fieldsOf, parquetSchema, type ParquetColumn } from './parquet-columns.js';
import { writeFigures, type FigureRows } from './parquet-figures.js';
import { ParquetFooter } from './parquet-footer.js';
import { PageWriter } from './parquet-pages.js';
import {
  countRows,
  Scratch,
  SeriesColumn,
  writeTimes,
  writeValues,
  type Block,
  type Cells,
} from './parquet-rows.js';
import { isHistograms, type RecordedTable } from './recorded-table.js';

const timeColumn = 'time' satisfies ParquetColumn;
const valueColumn = 'value' satisfies ParquetColumn;
/** Readers filter by names, so this column has statistics, like instants and values. */
const rangedColumn = 'metric' satisfies ParquetColumn;
/** Maximum number of values per column that are kept from one row group to the next. */
const maxCells = 65_536;

const magic = Buffer.from('PAR1');

type CellsOf = (series: readonly AnySeries[]) => readonly Cells[];

/** Writes tables as Parquet: a row group for every call, and a footer that completes the file. */
export class ParquetEncoder {
  readonly #attributeColumns: readonly string[];
  readonly #elements: readonly SchemaElement[];
  readonly #footer: ParquetFooter;
  readonly #out = new ByteWriter();
  readonly #target = { scratch: new Scratch(), pages: new PageWriter(this.#out) };
  /** Those that keep the values of series. */
  #columns: readonly SeriesColumn[] = [];
  #hasHistograms = false;
  #cellsOf: CellsOf = () => [];
  #endCellsOf: CellsOf = () => [];

  /** @param attributeColumns attributes with a column of their own, in addition to `resource` and `attributes` */
  constructor(attributeColumns: readonly string[]) {
    const schema = parquetSchema(attributeColumns, { hasHistograms: false });
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

  /**
   * The next bytes of the file: a row group with the points of these tables. With the first histograms, all row
   * groups get columns for them, which are empty in earlier ones.
   */
  encode(tables: readonly RecordedTable[]): Buffer {
    if (this.#columns.some(({ size }) => size > maxCells)) this.#forget();
    if (!this.#hasHistograms && tables.some(isHistograms)) this.#widen();
    const blocks = tables.flatMap((table) => this.#blocksOf(table)).filter((block) => countRows(block) > 0);
    const rows = blocks.reduce((sum, block) => sum + countRows(block), 0);
    if (rows > 0) {
      this.#target.scratch.reserve(rows);
      const columns = this.#elements.map((element, column) => this.#write(element, column, blocks));
      const figures = blocks.map((block): FigureRows => block.figures ?? countRows(block));
      this.#footer.add([...columns, ...(this.#hasHistograms ? this.#writeFigures(figures) : [])], rows);
    }
    return this.#take();
  }

  /** The bytes that must end the file, until more is written. */
  footer(): Buffer {
    return this.#footer.bytes();
  }

  #write(element: SchemaElement, column: number, blocks: readonly Block[]): ColumnMetaData {
    if (element.name === timeColumn) return writeTimes(blocks, element, this.#target);
    if (element.name === valueColumn) return writeValues(blocks, element, this.#target);
    return elementAt(this.#columns, column).write(blocks, this.#target);
  }

  #widen(): void {
    this.#hasHistograms = true;
    const schema = parquetSchema(this.#attributeColumns, { hasHistograms: true });
    this.#footer.widen(schema, (rows) => this.#writeFigures([rows]));
  }

  #writeFigures(rows: readonly FigureRows[]): readonly ColumnMetaData[] {
    const { scratch, pages } = this.#target;
    return histogramColumns.map((column) => writeFigures(rows, column, { body: scratch.begin(), pages }));
  }

  /** The rows of a table, then one without a value for each ended series. */
  #blocksOf(table: RecordedTable): readonly Block[] {
    if (isHistograms(table)) return this.#histogramBlocks(table);
    const rows = { table, cells: this.#cellsOf(table.series) };
    if (table.ended === undefined || table.ended.length === 0) return [rows];
    return [rows, { table: createEndRow(table, table.ended), cells: this.#endCellsOf(table.ended) }];
  }

  #histogramBlocks(table: HistogramTable): readonly Block[] {
    const ended = createHistogramEndRows(table, table.ended ?? []);
    return [
      { table, cells: this.#cellsOf(table.series), figures: listFigures(table) },
      { table: ended, cells: this.#endCellsOf(ended.series), figures: listFigures(ended) },
    ];
  }

  /** Forgets the values of series, most of which may be gone. */
  #forget(): void {
    const columns = this.#elements.map(
      (element, column) => new SeriesColumn(element, column, element.name === rangedColumn),
    );
    const createCellsOf = (state: string | undefined): CellsOf => {
      const cellsOf = createPlans((series: AnySeries) =>
        fieldsOf(series, state, this.#attributeColumns).map((field, i) =>
          elementAt(columns, i).cellOf(field),
        ),
      );
      return createPlans((series: readonly AnySeries[]) => series.map(cellsOf));
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

function listFigures(table: HistogramTable) {
  const row = new HistogramRow();
  return Array.from(table.series, (_, number) => figuresOf(row.read(table, number)));
}

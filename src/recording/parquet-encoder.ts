import type { Encoding } from 'hyparquet';
import { ByteWriter, ParquetWriter, type ColumnSource } from 'hyparquet-writer';
import { elementAt } from '../element.js';
import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import {
  fieldsOf,
  parquetColumns,
  parquetSchema,
  ParquetRows,
  type ParquetColumn,
} from './parquet-columns.js';

/**
 * Writes tables as Parquet: a row group for every time that something is taken, and a footer that makes a whole file of
 * everything before it.
 */
export class ParquetEncoder {
  readonly #attributeColumns: readonly string[];
  readonly #fieldsOf: (series: Series) => ReturnType<typeof fieldsOf>;
  readonly #writer = new ByteWriter();
  readonly #file: ParquetWriter;
  #rowGroups = 0;

  /** @param attributeColumns attributes that have a column of their own, beside `resource` and `attributes` */
  constructor(attributeColumns: readonly string[]) {
    this.#attributeColumns = attributeColumns;
    this.#fieldsOf = createPlans((series: Series) => fieldsOf(series, attributeColumns));
    this.#file = new ParquetWriter({
      writer: this.#writer,
      schema: parquetSchema(attributeColumns),
      createdBy: 'joulemetry',
    });
  }

  /** How many row groups were written. */
  get rowGroups(): number {
    return this.#rowGroups;
  }

  /** The next bytes of the file: a row group with the points of these tables. */
  encode(tables: readonly Table[]): Buffer {
    const rows = new ParquetRows(tables, this.#attributeColumns, this.#fieldsOf);
    if (rows.time.length > 0) {
      void this.#file.write({ columnData: this.#columnsOf(rows), rowGroupSize: rows.time.length });
      this.#rowGroups += 1;
    }
    return this.#take();
  }

  /** What has to stand after everything so far, for as long as nothing follows. */
  footer(): Buffer {
    const { offset } = this.#writer;
    void this.#file.finish();
    const bytes = this.#take();
    // What comes next takes the place of the footer.
    this.#writer.offset = offset;
    return bytes;
  }

  #columnsOf(rows: ParquetRows): ColumnSource[] {
    const { time, value, start, state, texts, promoted } = rows;
    const named = { ...texts, time, value, start_time: start, state };
    return [
      ...parquetColumns.map((name) => createColumn(name, named[name])),
      ...this.#attributeColumns.map((name, i) => createColumn(name, elementAt(promoted, i))),
    ];
  }

  #take(): Buffer {
    const bytes = Buffer.from(this.#writer.getBytes());
    this.#writer.index = 0;
    return bytes;
  }
}

/**
 * Dictionaries would make 0 of -0, and have to be looked for among instants, which differ. Page indexes stand between
 * row groups and footer, where they would have to be written again each time.
 */
const encodings: Partial<Record<string, Encoding>> = { time: 'DELTA_BINARY_PACKED', value: 'PLAIN' };

/** Columns of which readers ask for ranges. The least and greatest of long texts take more time than everything else. */
const rangedColumns: readonly string[] = ['time', 'value', 'metric'] satisfies ParquetColumn[];

function createColumn(name: string, data: ColumnSource['data']): ColumnSource {
  const encoding = encodings[name];
  return {
    name,
    data,
    columnIndex: false,
    offsetIndex: false,
    statistics: rangedColumns.includes(name),
    ...(encoding && { encoding }),
  };
}

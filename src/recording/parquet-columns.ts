import type { SchemaElement } from 'hyparquet';
import type { AttributeValue, Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { createEndRow, endedState } from './cell-text.js';
import { attributesText, findAttribute } from './otlp-json.js';

// Parquet in long form: a row for each point. What repeats is a dictionary's number in the file.

/** The columns before those of attributes. */
export const parquetColumns = [
  'time',
  'metric',
  'unit',
  'value',
  'kind',
  'type',
  'start_time',
  'state',
  'resource',
  'attributes',
  'description',
] as const;

export type ParquetColumn = (typeof parquetColumns)[number];

/** The columns of a file, as the Parquet format describes them. */
export function parquetSchema(attributeColumns: readonly string[]): SchemaElement[] {
  const elements: Readonly<Record<ParquetColumn, SchemaElement>> = {
    time: { ...timestamp('time'), repetition_type: 'REQUIRED' },
    metric: textColumn('metric', 'REQUIRED'),
    unit: textColumn('unit', 'REQUIRED'),
    value: { name: 'value', type: 'DOUBLE', repetition_type: 'OPTIONAL' },
    kind: textColumn('kind', 'REQUIRED'),
    type: textColumn('type', 'REQUIRED'),
    start_time: { ...timestamp('start_time'), repetition_type: 'OPTIONAL' },
    state: textColumn('state', 'OPTIONAL'),
    resource: textColumn('resource', 'REQUIRED'),
    attributes: textColumn('attributes', 'REQUIRED'),
    description: textColumn('description', 'REQUIRED'),
  };
  return [
    { name: 'root', num_children: parquetColumns.length + attributeColumns.length },
    ...parquetColumns.map((name) => elements[name]),
    ...attributeColumns.map((name) => textColumn(name, 'OPTIONAL')),
  ];
}

function timestamp(name: string): SchemaElement {
  return { name, type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'NANOS' } };
}

function textColumn(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): SchemaElement {
  return {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: repetition,
  };
}

/** What every row of a series has in its columns. */
interface SeriesFields {
  readonly texts: Readonly<
    Record<'metric' | 'unit' | 'kind' | 'type' | 'resource' | 'attributes' | 'description', string>
  >;
  readonly start: bigint | undefined;
  readonly promoted: readonly (string | undefined)[];
}

const textNames = ['metric', 'unit', 'kind', 'type', 'resource', 'attributes', 'description'] as const;

/** Points as the columns of a row group. */
export class ParquetRows {
  readonly time: bigint[];
  readonly value: (number | undefined)[];
  readonly start: (bigint | undefined)[];
  readonly state: (string | undefined)[];
  readonly texts: Readonly<Record<(typeof textNames)[number], string[]>>;
  readonly promoted: readonly (string | undefined)[][];
  readonly #fieldsOf: (series: Series) => SeriesFields;
  #length = 0;

  /** @param tables whose points are the rows, each followed by a row without a value for each series that ended */
  constructor(
    tables: readonly Table[],
    attributeColumns: readonly string[],
    find: (series: Series) => SeriesFields,
  ) {
    const rows = tables.reduce((sum, { values, ended = [] }) => sum + values.length + ended.length, 0);
    // Columns that would grow row by row take more time.
    // oxlint-disable-next-line unicorn/no-new-array -- a length
    const column = <T>() => new Array<T>(rows);
    this.time = column();
    this.value = column();
    this.start = column();
    this.state = column();
    this.texts = {
      metric: column(),
      unit: column(),
      kind: column(),
      type: column(),
      resource: column(),
      attributes: column(),
      description: column(),
    };
    this.promoted = attributeColumns.map(() => column());
    this.#fieldsOf = find;
    for (const table of tables) this.#add(table);
  }

  #add(table: Table): void {
    this.#addRows(table, undefined);
    if (table.ended && table.ended.length > 0) this.#addRows(createEndRow(table, table.ended), endedState);
  }

  /** Column by column: each is written from its start to its end. */
  #addRows({ series, epoch, offsets, values }: Table, state: string | undefined): void {
    const fields = series.map(this.#fieldsOf);
    const width = series.length;
    const first = this.#length;
    this.#length += values.length;
    for (let row = 0; row < offsets.length; row += 1) {
      this.time.fill(epoch + BigInt(offsets[row]), first + row * width, first + (row + 1) * width);
    }
    // Data frames count null as missing, and NaN as a number.
    for (let cell = 0; cell < values.length; cell += 1) {
      this.value[first + cell] = Number.isNaN(values[cell]) ? undefined : values[cell];
    }
    this.state.fill(state, first, this.#length);
    const repeat = <T>(column: T[], of: (one: SeriesFields) => T) => {
      const cells = fields.map(of);
      for (let row = first; row < this.#length; row += width)
        for (let i = 0; i < width; i += 1) column[row + i] = cells[i];
    };
    repeat(this.start, ({ start }) => start);
    for (const name of textNames) repeat(this.texts[name], ({ texts }) => texts[name]);
    for (const [i, column] of this.promoted.entries()) repeat(column, ({ promoted }) => promoted[i]);
  }
}

/** The fields of a series. */
export function fieldsOf(series: Series, attributeColumns: readonly string[]): SeriesFields {
  const { metric, resource, attributes, start } = series;
  return {
    texts: {
      metric: metric.name,
      unit: metric.unit,
      kind: metric.kind,
      type: metric.valueType,
      resource: attributesText(resource.attributes),
      attributes: attributesText(attributes),
      description: metric.description,
    },
    start: start === 0n ? undefined : start,
    promoted: attributeColumns.map((name) => textOf(findAttribute(series, name))),
  };
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

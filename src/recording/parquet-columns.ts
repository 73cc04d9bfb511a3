import type { SchemaElement } from 'hyparquet';
import type { AttributeValue, Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { createEndRow, endedState } from './cell-text.js';
import { attributesText } from './otlp-json.js';

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

/** Points as the columns of a row group. */
export class ParquetRows {
  readonly time: bigint[] = [];
  readonly value: (number | undefined)[] = [];
  readonly start: (bigint | undefined)[] = [];
  readonly state: (string | undefined)[] = [];
  readonly texts: Record<keyof SeriesFields['texts'], string[]> = {
    metric: [],
    unit: [],
    kind: [],
    type: [],
    resource: [],
    attributes: [],
    description: [],
  };
  readonly promoted: (string | undefined)[][];
  readonly #fieldsOf: (series: Series) => SeriesFields;

  constructor(attributeColumns: readonly string[], find: (series: Series) => SeriesFields) {
    this.promoted = attributeColumns.map(() => []);
    this.#fieldsOf = find;
  }

  /** Adds the points of a table, then a row without a value for each series that ended. */
  add(table: Table): void {
    this.#addRows(table, undefined);
    if (table.ended && table.ended.length > 0) this.#addRows(createEndRow(table, table.ended), endedState);
  }

  #addRows({ series, epoch, offsets, values }: Table, state: string | undefined): void {
    const fields = series.map(this.#fieldsOf);
    offsets.forEach((offset, row) => {
      const time = epoch + BigInt(offset);
      for (const [column, one] of fields.entries()) {
        const value = values[row * series.length + column];
        // Data frames count null as missing, and NaN as a number.
        this.#addRow(one, { time, value: Number.isNaN(value) ? undefined : value, state });
      }
    });
  }

  #addRow(
    { texts, start, promoted }: SeriesFields,
    point: { readonly time: bigint; readonly value: number | undefined; readonly state: string | undefined },
  ): void {
    this.time.push(point.time);
    this.value.push(point.value);
    this.state.push(point.state);
    this.start.push(start);
    this.texts.metric.push(texts.metric);
    this.texts.unit.push(texts.unit);
    this.texts.kind.push(texts.kind);
    this.texts.type.push(texts.type);
    this.texts.resource.push(texts.resource);
    this.texts.attributes.push(texts.attributes);
    this.texts.description.push(texts.description);
    for (const [i, text] of promoted.entries()) this.promoted[i].push(text);
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
    promoted: attributeColumns.map((name) => textOf(attributes[name] ?? resource.attributes[name])),
  };
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

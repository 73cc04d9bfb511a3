import type { SchemaElement } from 'hyparquet';
import { createPlans } from '../model/plan.js';
import type { AnySeries, AttributeValue, Resource } from '../model/series.js';
import { attributesText, findAttribute } from './otlp-json.js';
import { figureElements } from './parquet-figures.js';

// Parquet in long form: a row per point. Repeated values are dictionary-encoded. Files with histograms have
// additional columns at the end.

/** The columns before the attributes. */
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

/** The columns of a file in Parquet's schema, apart from those of histograms. */
export function parquetSchema(
  attributeColumns: readonly string[],
  { hasHistograms }: { readonly hasHistograms: boolean },
): SchemaElement[] {
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
  const figures = hasHistograms ? figureElements : [];
  return [
    { name: 'root', num_children: parquetColumns.length + attributeColumns.length + figures.length },
    ...parquetColumns.map((name) => elements[name]),
    ...attributeColumns.map((name) => textColumn(name, 'OPTIONAL')),
    ...figures.flat(),
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

/** The content of a column for a series; undefined: empty. */
type Field = string | bigint | undefined;

/** The content of every column for all rows of a series, apart from instant and value. */
export function fieldsOf(
  series: AnySeries,
  state: string | undefined,
  attributeColumns: readonly string[],
): readonly Field[] {
  const { metric, resource, attributes, start } = series;
  const fields: Readonly<Record<ParquetColumn, Field>> = {
    time: undefined,
    metric: metric.name,
    unit: metric.unit,
    value: undefined,
    kind: metric.kind,
    type: 'valueType' in metric ? metric.valueType : 'double',
    start_time: start === 0n ? undefined : start,
    state,
    resource: resourceText(resource),
    attributes: attributesText(attributes),
    description: metric.description,
  };
  return [
    ...parquetColumns.map((name) => fields[name]),
    ...attributeColumns.map((name) => textOf(findAttribute(series, name))),
  ];
}

/** Cached, since many series share a resource. */
const resourceText = createPlans(({ attributes }: Resource) => attributesText(attributes));

function textOf(value: AttributeValue | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}
